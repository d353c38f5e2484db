"""Writes `pullback/_names.py`: where each public name and each op lives, so that namespaces load a room on first use.

    @public("nn.conv2d")  --->  V2: "nn.conv2d" -> "pullback.ops.nn.conv:conv2d"
    @op class Conv2D      --->  OPS: "Conv2D" -> "pullback.ops.nn.conv"

Also writes the editors' stubs beside the namespaces. `--check` writes nothing and fails when a file on disk is not
what would be written. Names declared twice, or that lead nowhere, are errors.
"""

from __future__ import annotations

import argparse
import importlib
import keyword
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = "pullback"
# Their own product, what runs on import, the lowerings, which load compilers and declare nothing, and what needs an
# extra to import.
SKIPPED = {"_names", "__main__", "native", "xla", "blas", "onnx"}
DIALECTS = {"V2": ("v2", "TensorFlow 2"), "V1": ("v1", "TensorFlow 1")}


class NamesError(Exception):
    """The declarations contradict each other or lead nowhere."""


class Declared(dict[str, tuple[str, str]]):
    """Public names of one dialect, each declared once."""

    def __setitem__(self, name: str, place: tuple[str, str]) -> None:
        earlier = self.get(name, place)
        if earlier != place:
            raise NamesError(f"{name!r} is declared by {':'.join(earlier)} and by {':'.join(place)}")
        super().__setitem__(name, place)


def modules(package: Any) -> Iterator[str]:
    """Dotted names of the modules below a package, without importing those that are skipped."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        if found.name in SKIPPED:
            continue
        name = f"{package.__name__}.{found.name}"
        yield name
        if found.ispkg:
            yield from modules(importlib.import_module(name))


def collect() -> dict[str, dict[str, str]]:
    """The three tables, from every module's declarations.

    Raises:
      NamesError: a name is declared in two places, or what it leads to is not there.
    """
    names = importlib.import_module(f"{PACKAGE}.core.names")
    for dialect, declared in names.PUBLIC.items():
        names.PUBLIC[dialect] = Declared(declared)
    for module in modules(importlib.import_module(PACKAGE)):
        importlib.import_module(module)
    tables = {}
    for table, (dialect, _) in DIALECTS.items():
        for name, (module, attribute) in names.PUBLIC[dialect].items():
            if not hasattr(importlib.import_module(module), attribute):
                raise NamesError(
                    f"{name!r} leads to {module}:{attribute}, which is not there; @public takes `__name__`, "
                    f"so a value that bears another name wants `public_value`"
                )
        tables[table] = {name: ":".join(place) for name, place in names.PUBLIC[dialect].items()}
    registry = importlib.import_module(f"{PACKAGE}.core.op").REGISTRY
    tables["OPS"] = {kind: cls.__module__ for kind, cls in registry.items()}
    return tables


def written(tables: dict[str, dict[str, str]]) -> str:
    """The text of `_names.py`, as `ruff format` would leave it."""
    lines = ['"""Where each public name and each op lives. Made by `make names`; not edited by hand."""']
    meanings = {table: f"{title}: name without `tf.` -> module:attribute." for table, (_, title) in DIALECTS.items()}
    meanings["OPS"] = "Op type -> module."
    for table, meaning in meanings.items():
        rows = [f'    "{name}": "{place}",' for name, place in sorted(tables[table].items())]
        lines += ["", f"# {meaning}"]
        lines += [f"{table}: dict[str, str] = {{", *rows, "}"] if rows else [f"{table}: dict[str, str] = {{}}"]
    return "\n".join(lines) + "\n"


def stub(table: dict[str, str]) -> str:
    """A namespace as editors read it: its own names from where they are made, all others Any."""
    places = [place for place in sorted(table.items()) if place[0].isidentifier() and not keyword.iskeyword(place[0])]
    lines = ["# Made by `make names`; not edited by hand.", "from typing import Any", ""]
    for name, place in places:
        module, attribute = place.split(":")
        lines.append(f"from {module} import {attribute} as {name}")
    # A stub hands on `import made as public` only when `__all__` says so.
    lines += ["", "__all__ = [", *(f'    "{name}",' for name, _ in places), "]"]
    lines += ["", "def __getattr__(name: str) -> Any: ..."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes or checks the files; answers with the exit status."""
    parser = argparse.ArgumentParser(description="Writes src/pullback/_names.py from the @public declarations.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is not current")
    check = parser.parse_args().check
    sys.path.insert(0, str(SOURCE))
    try:
        tables = collect()
    except NamesError as error:
        print(f"names: {error}", file=sys.stderr)
        return 1
    root = SOURCE / PACKAGE
    wanted = {root / "_names.py": written(tables), root / "__init__.pyi": stub(tables["V2"])}
    if (root / "v1").is_dir():
        wanted[root / "v1" / "__init__.pyi"] = stub(tables["V1"])
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if not check:
            path.write_text(wanted[path], encoding="utf-8")
    if check and stale:
        shown = ", ".join(str(path.relative_to(SOURCE.parent)) for path in stale)
        print(f"names: the public names as declared are not those in {shown}; say `make names`", file=sys.stderr)
        return 1
    counts = ", ".join(f"{len(table)} {name}" for name, table in tables.items())
    print(f"names: {'current' if not stale else 'written'} ({counts})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
