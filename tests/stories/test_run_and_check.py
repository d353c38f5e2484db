"""`pullback run` and `pullback check`: programs as people have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pullback.alias import dialect, program, source, uses
from pullback.alias.check import check
from pullback.cli import main

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def put(text: str, name: str = "train.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


def run(*arguments: str, cwd: Path | None = None) -> Any:
    """`python -m pullback run ...` in its own process."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "pullback", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=120, check=False)


class TestDialect:
    """The names that a program uses say which TensorFlow it is for."""

    @pytest.mark.parametrize(
        ("text", "wanted", "why"),
        [
            ("import tensorflow as tf\ns = tf.Session()", "tf1", "tf.Session, train.py:2"),
            ("import tensorflow as tf\nx = tf.contrib.layers", "tf1", "tf.contrib.layers"),
            ("import tensorflow.contrib.slim as slim", "tf1", "tf.contrib.slim"),
            ("import tensorflow as tf\ntf.mul(1, 2)", "tf1", "tf.mul"),
            ("from tensorflow import placeholder", "tf1", "tf.placeholder"),
            ("import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()", "tf1", "tf.compat.v1.disable_v2_behavior"),
            ("import tensorflow as tf\nv1 = tf.compat.v1\nv1.disable_eager_execution()", "tf1", "disable_eager"),
            ("import tensorflow.compat.v1 as tf\ntf.placeholder", "tf2", "no name that only"),
            ("import tensorflow as tf\ntf.reduce_sum([1.0])", "tf2", "no name that only"),
            ("import numpy as np", "tf2", "names nothing of TensorFlow"),
            ("from tensorflow.python.framework import ops\nops.reset_default_graph()", "tf1", "reset_default_graph"),
        ],
    )
    def test_by_names(self, write: Any, text: str, wanted: str, why: str) -> None:
        found = dialect.decide(uses.scan(source.read(write(text))))
        assert found.dialect == wanted and why in found.why

    def test_by_the_modules_beside_it(self, write: Any) -> None:
        write("import tensorflow as tf\n\ndef net():\n    return tf.placeholder(tf.float32)\n", "parts/net.py")
        found = dialect.decide(uses.scan(source.read(write("import tensorflow as tf\nfrom parts import net\n"))))
        assert str(found) == "TensorFlow 1 (tf.placeholder, net.py:4)"


class TestRunning:
    def test_as_python_would(self, write: Any) -> None:
        write("name = __name__\n", "beside.py")
        path = write(
            "import sys, os, json\nimport tensorflow as tf\nimport beside\n"
            "print(json.dumps([sys.argv[1:], __name__, os.path.basename(__file__), sys.path[0], beside.name,"
            " sys.modules['__main__'].__file__ == __file__, tf.Session.__name__]))\nsys.exit(3)\n"
        )
        done = run(str(path), "--rate", "2", "--tf2")
        assert done.returncode == 3
        assert json.loads(done.stdout) == [
            ["--rate", "2", "--tf2"], "__main__", "train.py", str(path.parent), "beside", True, "Session",
        ]  # fmt: skip
        assert done.stderr == "pullback: train.py runs as TensorFlow 1 (tf.Session, train.py:4)\n"

    def test_traceback_shows_the_program(self, write: Any) -> None:
        path = write("import tensorflow as tf\n\ndef f():\n    return tf.reshape(tf.zeros([3]), [2])\n\nf()\n")
        done = run("--tf1", str(path))
        assert done.returncode == 1
        frames = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("File ")]
        assert [frame.partition("line ")[2] for frame in frames] == ["6, in <module>", "4, in f"]
        assert "do not fill shape [2] (train.py:4)" in done.stderr

    def test_what_is_no_python_says_so_as_python_does(self, write: Any) -> None:
        done = run(str(write("import tensorflow as tf\nprint 'x'\n")))
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert 'train.py", line 2\n' in done.stderr and "SyntaxError" in done.stderr

    def test_names_of_old_numpy(self, write: Any) -> None:
        done = run(str(write("import numpy as np\nimport tensorflow as tf\ntf.Session()\nprint(np.int(3.5))\n")))
        assert (done.returncode, done.stdout) == (0, "3\n")
        assert "train.py:4: OldNameWarning: np.int is from before NumPy 2" in done.stderr

    def test_a_module(self, write: Any) -> None:
        write("", "pack/__init__.py")
        path = write("from . import other\nimport sys\nprint(other.x, sys.argv[1])\n", "pack/__main__.py")
        write("x = 5\n", "pack/other.py")
        done = run("-m", "pack", "word", cwd=path.parents[1])
        assert (done.returncode, done.stdout) == (0, "5 word\n"), done.stderr

    def test_a_notebook(self, write: Any) -> None:
        cells = [
            {"cell_type": "markdown", "source": ["# Title"]},
            {"cell_type": "code", "source": ["%matplotlib inline\n", "import tensorflow as tf"]},
            {"cell_type": "code", "source": "x = tf.placeholder(tf.float32)\nprint(tf.Session().run(x * 2, {x: 4}))"},
            {"cell_type": "code", "source": "%%time\n1 / 0"},
        ]
        done = run(str(write(json.dumps({"cells": cells}), "note.ipynb")))
        assert done.returncode == 1 and done.stdout == "8.0\n"
        assert "%matplotlib inline left out" in done.stderr
        assert 'note.ipynb cell 4", line 2, in <module>\n    1 / 0' in done.stderr

    def test_exit_statuses(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert program.status(SystemExit()) == 0
        assert program.status(SystemExit(7)) == 7
        assert program.status(SystemExit("words")) == 1
        assert capsys.readouterr().err == "words\n"

    @pytest.mark.parametrize(
        ("text", "name", "words"),
        [
            (None, "gone.py", "can't open file"),
            ("{", "note.ipynb", "no notebook of format 4"),
            (json.dumps({"cells": [{"cell_type": "code", "source": "!pip install x"}]}), "n.ipynb", "a shell command"),
            (json.dumps({"cells": [{"cell_type": "code", "source": "%%bash\nls"}]}), "n.ipynb", "%%bash cell"),
        ],
    )
    def test_what_cannot_be_run(self, write: Any, tmp_path: Path, text: str | None, name: str, words: str) -> None:
        path = tmp_path / name if text is None else write(text, name)
        done = CliRunner().invoke(main, ["run", str(path)])
        assert done.exit_code == 2 and words in done.output

    def test_without_a_program(self) -> None:
        done = CliRunner().invoke(main, ["run"])
        assert done.exit_code == 2 and "which program?" in done.output


class TestChecking:
    TEXT = (
        "import tensorflow as tf\nslim = tf.contrib.slim\nFLAGS = tf.app.flags.FLAGS\n"
        "x = tf.placeholder(tf.float32)\ny = slim.conv2d(x, 1, 3)\nz = tf.nn.conv22d(y)\n"
        "print(FLAGS.rate, tf.float32.name, tf.mul(x, x), tf.nn.conv22d)\n"
    )

    def test_names_counts_and_neighbours(self, write: Any) -> None:
        report = check([write(self.TEXT)])
        found = {s.name: s for s in report.symbols}
        assert set(found) == {
            "tf.app.flags.FLAGS", "tf.contrib.slim.conv2d", "tf.float32", "tf.mul", "tf.nn.conv22d", "tf.placeholder",
        }  # fmt: skip
        assert found["tf.float32"].count == 2 and found["tf.nn.conv22d"].count == 2
        assert [s.name for s in report.missing] == ["tf.nn.conv22d"]
        assert "tf.nn.conv2d" in found["tf.nn.conv22d"].near and found["tf.nn.conv22d"].first == "train.py:6"
        assert found["tf.mul"].old == "tf.multiply"

    def test_the_command(self, write: Any) -> None:
        path = write(self.TEXT)
        done = CliRunner().invoke(main, ["check", str(path)])
        assert done.exit_code == 1 and "missing; near:" in done.output
        assert "1 file, TensorFlow 1: 5 of 6 names are there." in done.output
        done = CliRunner().invoke(main, ["check", "--json", str(path)])
        assert json.loads(done.output)["missing"] == 1
        path = write("import tensorflow as tf\ntf.add(1, 2)\n")
        assert CliRunner().invoke(main, ["check", str(path)]).exit_code == 0

    def test_a_folder(self, write: Any) -> None:
        write("import tensorflow as tf\ntf.Session()\n", "a/one.py")
        write("import tensorflow as tf\ntf.GradientTape()\n", "a/two.py")
        write("def broken(:\n", "a/three.py")
        folder = write("import tensorflow as tf\n", "a/.hidden/four.py").parents[1]
        report = check([folder])
        assert {Path(p).name: d for p, d in report.dialects.items()} == {"one.py": "tf1", "two.py": "tf2"}
        assert len(report.unread) == 1 and "three.py" in report.unread[0]

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(main, ["check", str(tmp_path / "gone.py")])
        assert done.exit_code == 2 and "can't open file" in done.output


def test_what_tensorflow_1_brought_along_is_there(write: Any) -> None:
    lines = ["from six.moves import xrange", "import absl.flags, google.protobuf, numpy", "import tensorflow as tf"]
    done = run(str(write("\n".join([*lines, "print(tf.Session().run(tf.add_n([1.0] * len(xrange(3)))))"]))))
    assert done.stdout.splitlines()[-1:] == ["3.0"], done.stderr


class TestKerasByItself:
    """`import keras` is tensorflow.keras, as where TensorFlow is installed."""

    PROGRAM = """
from keras import backend as K
from keras.layers import Dense, Input
from keras.layers.convolutional import MaxPooling2D
from keras.engine.topology import Layer
from keras.models import Sequential
from keras.utils import np_utils
import keras.callbacks, tensorflow as tf
assert keras.layers.MaxPooling2D is MaxPooling2D is tf.keras.layers.MaxPooling2D and Layer is tf.keras.layers.Layer
model = Sequential([Input((2,)), Dense(1, kernel_initializer="ones")])
print(np_utils.to_categorical([1], 3), K.get_value(model(tf.constant([[1.0, 2.0]]))))
"""

    def test_old_modules_lead_to_the_layers_of_today(self, write: Any) -> None:
        done = run(str(write(self.PROGRAM)))
        assert done.stdout.splitlines()[-1:] == ["[[0. 1. 0.]] [[3.]]"], done.stderr

    def test_check_knows_its_names(self, write: Any) -> None:
        said = CliRunner().invoke(main, ["check", str(write(self.PROGRAM + "keras.layers.Dens(3)"))]).output
        assert "tf.keras.layers.Dens " in said and "missing" in said
        assert "missing" not in CliRunner().invoke(main, ["check", str(write(self.PROGRAM))]).output

    def test_another_backend_is_left_alone(self, write: Any, monkeypatch: Any) -> None:
        monkeypatch.setenv("KERAS_BACKEND", "jax")
        (write("answer = 42", "keras.py")).parent.joinpath("main.py").write_text("import keras; print(keras.answer)")
        assert run("main.py", cwd=write("", "x.py").parent).stdout.splitlines()[-1:] == ["42"]
