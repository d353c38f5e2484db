"""Programs of TensorFlow 1, as they stand, through `pullback run`.

The programs of the goldens in TF1 style are those of test_goldens_*.py, with `import tensorflow` in place of ours; one
process runs them all. Those under tests/programs run in processes of their own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance.golden import FOLDER

TESTS = Path(__file__).resolve().parents[1]
PROGRAMS = TESTS / "programs"
# Runs each file given, then its tests of TF1-style goldens; prints those that passed.
DRIVER = """
import json, runpy, sys
import tensorflow as tf

passed = {}
for path in sys.argv[2:]:
    for name, test in runpy.run_path(path).items():
        marks = {m.args[0]: m.args[1] for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"}
        skips = [m for m in getattr(test, "pytestmark", ()) if m.name == "skipif" and m.args[0]]
        for topic in marks.get("topic", ()):
            golden = runpy.run_path(sys.argv[1])["Golden"](topic)
            if not golden.data["style"].startswith("tf1") or skips:
                continue
            for dtype in marks.get("dtype", [None]):
                tf.reset_default_graph()
                test(golden, **({"dtype": dtype} if "dtype" in marks else {}))
            passed.setdefault(topic, 0)
            passed[topic] += 1
print("PASSED " + json.dumps(passed))
"""


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m pullback run` of a program, in its own process."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pullback", "run", str(path), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, timeout=300, check=False
    )


def answer(name: str, *arguments: str) -> tuple[Any, str]:
    """(what a program of tests/programs printed, what it said on stderr)."""
    done = run(PROGRAMS / f"{name}.py", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def as_tensorflow(text: str) -> str:
    """A test module that imports tensorflow where it imported our TensorFlow 1."""
    return re.sub(r"^import pullback\.v1 as tf1$", "import tensorflow as tf1", text, flags=re.M)


@pytest.mark.skipif(not FOLDER.exists(), reason=f"goldens lie beside the checkout; {FOLDER} is not there")
def test_every_golden_in_tf1_style_runs_as_a_tensorflow_program(tmp_path: Path) -> None:
    modules = []
    for path in sorted(Path(__file__).parent.glob("test_goldens_*.py")):
        text = path.read_text(encoding="utf-8")
        if "import pullback.v1 as tf1" in text:
            modules.append(tmp_path / path.name.removeprefix("test_"))
            modules[-1].write_text(as_tensorflow(text), encoding="utf-8")
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER, encoding="utf-8")
    done = run(driver, str(Path(__file__).parent / "golden.py"), *map(str, modules))
    assert done.returncode == 0, done.stderr[-4000:]
    assert "runs as TensorFlow 1" in done.stderr
    styles = {p.stem: json.loads(p.read_text(encoding="utf-8"))["style"] for p in FOLDER.glob("*.json")}
    passed = json.loads(done.stdout.partition("PASSED ")[2])
    assert set(passed) == {topic for topic, style in styles.items() if style.startswith("tf1")}


def test_gradients_of_a_convolution() -> None:
    """dx is the full convolution with the turned kernel, dw the correlation with the input; both ways to ask agree."""
    found, said = answer("conv_backprop")
    assert said.startswith("pullback: conv_backprop.py runs as TensorFlow 1 (tf.Session, conv_backprop.py:")
    dx, same_dx, dw, same_dw = found["VALID"]
    assert dx == same_dx == [1, 4, 4, 6, 20, 16, 9, 24, 16]
    assert dw == same_dw == [37, 47, 67, 77]
    dx, same_dx, dw, same_dw = found["SAME"]
    assert dx == same_dx and dw == same_dw
    assert dx == [1, 4, 7, 7, 23, 33, 19, 53, 63]


def test_partial_and_total_derivatives() -> None:
    found, _ = answer("partial_and_total")
    assert found["total"] == [3.0, 1.0]
    assert found["partial"] == [1.0, 1.0]
    assert found["grads"] == [[-2, -3, -4], [-2, -3, -4], [-4, -6, -8], [-2, -3, -4]]
    assert found["straight"] == [1, 2, 0]
    assert found["through"] == [2, 4, 0]


def test_a_program_of_2016() -> None:
    """Old names warn once each; flags reach it; the losses are those of plain gradient descent in NumPy."""
    found, said = answer("old_regression", "--steps=5", "--rate", "0.25")
    for name in ("tf.mul", "tf.sub", "tf.initialize_all_variables", "tf.concat(axis, values)", "reduction_indices="):
        assert said.count(f"OldNameWarning: {name}") == 1, said
    assert "rate 0.25" in said
    x = np.linspace(0, 1, 50)
    losses = found["losses"]
    assert len(losses) == 5
    # The first loss tells the drawn w: mean((w x + 0 - 0.1 x - 0.3)^2), the root within [-1, 1).
    a, b, c = np.mean(x * x), -2 * np.mean(x * (0.1 * x + 0.3)), np.mean((0.1 * x + 0.3) ** 2) - losses[0]
    roots = [w for w in np.roots([a, b, c]).real if -1 <= w < 1]
    assert any(np.allclose(descended(w, x, 5), losses, rtol=1e-4) for w in roots)


def descended(w: float, x: Any, steps: int) -> list[float]:
    """Losses of gradient descent with rate 0.25 from (w, 0)."""
    out, b = [], 0.0
    for _ in range(steps):
        error = w * x + b - (0.1 * x + 0.3)
        out.append(float(np.mean(error**2)))
        w, b = w - 0.25 * 2 * np.mean(error * x), b - 0.25 * 2 * np.mean(error)
    return out


def test_guided_backprop_through_inner_names() -> None:
    found, _ = answer("guided_relu")
    assert found == {"guided": [[1, 0, 0, 0]], "plain": [[1, -1, 0, 0]], "types": ["Relu", "Relu"]}


def test_a_network_in_slim() -> None:
    found, said = answer("slim_network")
    assert "tf.contrib.slim" in said
    layers = [f"conv/conv_{i}" for i in (1, 2)]
    ours = [f"{layer}/{name}" for layer in layers for name in ("weights", "BatchNorm/beta")]
    assert [n for n in found["names"] if "moving" not in n] == [*ours, "logits/weights", "logits/biases"]
    assert found["steps"] == 15 and found["moved"]
    assert found["losses"][-1] < found["losses"][0] / 2


def test_a_classifier_in_slim_from_records_to_its_evaluation(tmp_path: Path) -> None:
    found, said = answer("slim_training", str(tmp_path))
    assert found["seen"] == [[[12, 12, 3], i % 2, "shapes_train_00000-of-00002.tfrecord"] for i in range(4)]
    assert len(found["losses"]) == 20 and found["last"] == found["losses"][-1] < found["losses"][0] / 10
    assert [line for line in said.splitlines() if "global step 20: loss = " in line]
    files = set(found["files"])
    assert {"checkpoint", "model.ckpt-20.index", "model.ckpt-20.meta", "tf_trace-1.json", "tf_trace-11.json"} <= files
    assert {"losses/total_loss", "logits/weights_1", "prefetch_queue/fraction_of_2_full"} <= set(found["train tags"])
    assert "summarize_grads/Conv/weights_gradient_norm" in found["train tags"]
    assert found["evaluated"] == {"step": 20, "Accuracy": 1, "Count": 1}
    assert {"eval/Accuracy", "eval/Count"} <= set(found["eval tags"]) and "Evaluation [6/6]" in said


def test_a_program_that_tests_itself() -> None:
    done = run(PROGRAMS / "own_tests.py", "--verbose")
    assert done.returncode == 0, done.stderr
    assert "testGradient (__main__.SquareTest" in done.stderr and done.stderr.rstrip().endswith("OK (skipped=1)")
