"""CONTRIBUTING's worked example, run as it stands: one new file, and its tests come by themselves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_adding_an_op_touches_one_file_and_gains_its_tests(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (path,) = re.findall(r"Save this as `(src/[^`]+)`", text)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    copy = tmp_path / "pullback"
    for folder in ("src", "tools", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / path).write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(copy / "src")}

    def command(*words):
        done = subprocess.run([sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("tools/names.py")
    tests = command(
        "-m", "pytest", "tests/generated", "-k", "Softclip", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"
    )
    passed = int(re.search(r"(\d+) passed", tests).group(1))
    assert passed >= 30, tests
    program = "import pullback as tf; print(float(tf.math.softclip(tf.constant(100.0), 2.0)))"
    assert command("-c", program).strip() == "2.0"
