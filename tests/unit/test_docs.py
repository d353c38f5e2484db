"""The documentation's code, run page by page: each `# ->` is what the line before gives. README's programs too."""

import ast
import contextlib
import io
import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "gradient").glob("*.md"))


def blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.stem)
def test_page(page):
    scope: dict = {}
    text = page.read_text()
    for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        block = "\n" * text.count("\n", 0, found.start(1)) + found[1]  # on the page's own lines
        answers = {n: line.split("# -> ", 1)[1] for n, line in enumerate(block.splitlines(), 1) if "# -> " in line}
        for statement in ast.parse(block).body:
            answer = answers.pop(statement.end_lineno, None)
            if answer is None:
                exec(compile(ast.Module([statement], []), str(page), "exec"), scope)
            else:
                made = eval(compile(ast.Expression(statement.value), str(page), "eval"), scope)
                assert repr(made) == answer, ast.get_source_segment(block, statement)
        assert not answers, "an answer stands beside no statement"


def test_every_page_is_linked_from_the_one_before():
    for before, after in itertools.pairwise(PAGES):
        assert f"({after.name})" in before.read_text()
    assert f"(gradient/{PAGES[0].name})" in (ROOT / "docs" / "index.md").read_text()


def test_readme_programs():
    two, one = blocks(ROOT / "README.md")[:2]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(two, {})
        exec(one, {})
    numbers = [float(n) for n in re.findall(r"[\d.]+(?=[\s\]])", said.getvalue())]
    assert numbers[:4] == [2, 4, 6, 8]
    assert numbers[-9:] == [1, 3, 2, 4, 10, 6, 3, 7, 4]
