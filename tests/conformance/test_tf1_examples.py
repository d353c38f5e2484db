"""The programs in examples/tf1: each learns what it should, with the losses that TensorFlow has."""

from __future__ import annotations

import math
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conformance import as_tensorflow1, oracle

import pullback.v1 as tf1
from pullback import alias

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "tf1"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if "import tensorflow" in path.read_text(encoding="utf-8"))
NUMBER = r"(-?[\d.]+(?:e[-+]\d+)?)"


def losses(said: str, name: str = "loss") -> list[float]:
    """Those that a program printed along the way."""
    return [float(number) for number in re.findall(rf"\b{name} {NUMBER}", said)]


def told(said: str, words: str) -> float:
    """The number after some words."""
    found = re.search(rf"{words} {NUMBER}", said)
    assert found, said
    return float(found[1])


def fell(said: str, part: float, name: str = "loss") -> bool:
    """Whether the last five losses' mean is below `part` of the first five's."""
    found = losses(said, name)
    assert len(found) > 10 and all(map(math.isfinite, found)), said
    return float(np.mean(found[-5:])) < part * float(np.mean(found[:5]))


def line_is_found(said: str) -> bool:
    """The slope and height are the least-squares line's of the same points."""
    rng = np.random.RandomState(0)
    x = rng.uniform(-2, 2, 64).astype(np.float32)
    y = (3 * x - 1 + rng.normal(0, 0.1, 64)).astype(np.float32)
    slope, height = np.polyfit(x.astype(np.float64), y, 1)
    return abs(told(said, "weight") - slope) < 1e-3 and abs(told(said, "bias") - height) < 1e-3


def goes_on_where_it_stopped(said: str) -> bool:
    """Steps are counted on, and no loss jumps where the program was saved: it falls by ever smaller steps."""
    found = losses(said)
    assert [int(step) for step in re.findall(r"^step (\d+)", said, re.M)] == list(range(len(found)))
    falls = -np.diff(found[10:])
    return bool(np.all(falls > 0)) and float(falls[9]) < 2 * float(falls[8]) and "saved model.ckpt-20" in said


def both_players_learn(said: str) -> bool:
    """The generator comes to fool the judge; then the judge, fooled, finds it out again."""
    maker, judge = losses(said, "g_loss"), losses(said, "d_loss")
    fooled = int(np.argmin(maker))
    return 2 < fooled < 25 and maker[fooled] < 0.75 * maker[0] and judge[-1] < 0.95 * max(judge)


# {program: (steps, what must be true of what it said)}
CLAIMS: dict[str, tuple[int, Callable[[str], bool]]] = {
    "linear_regression": (200, line_is_found),
    "logistic_regression": (60, lambda said: fell(said, 0.2) and told(said, "accuracy") > 0.97),
    "mlp": (80, lambda said: fell(said, 0.3) and told(said, "accuracy") > 0.95),
    "cnn_raw": (60, lambda said: fell(said, 0.6) and told(said, "accuracy") > 0.85),
    "cnn_layers": (40, lambda said: fell(said, 0.2) and told(said, "accuracy") > 0.9),
    "autoencoder": (60, lambda said: told(said, "error") < 0.75 * told(said, "black would have")),
    "dcgan": (30, both_players_learn),
    "lstm": (30, lambda said: told(said, "accuracy") > 0.85 and "are the final state: True" in said),
    "word2vec": (150, lambda said: fell(said, 0.5) and told(said, "own topic") > 0.6),
    "vae": (50, lambda said: fell(said, 0.5) and losses(said, "latent_loss")[-1] > 0),
    "policy_gradient": (40, lambda said: told(said, "at last") > 1.5 * told(said, "at first")),
    "save_and_restore": (60, goes_on_where_it_stopped),
    "input_pipeline": (40, lambda said: fell(said, 0.6) and "the files were read 5 times: 40 batches" in said),
    "tensorboard": (30, lambda said: fell(said, 0.7) and "layer2/weights/summaries/histogram" in said),
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Runs a program in this process, as `pullback run` would; what it said."""

    def said(program: str, steps: int) -> str:
        extra = [str(tmp_path)] if program == "tensorboard" else []
        monkeypatch.setattr(sys, "argv", [f"{program}.py", str(steps), *extra])
        monkeypatch.syspath_prepend(str(FOLDER))
        with alias.using("tf1"):
            tf1.reset_default_graph()
            runpy.run_path(str(FOLDER / f"{program}.py"), run_name="__main__")
        return capsys.readouterr().out

    return said


def test_every_program_has_a_claim() -> None:
    assert set(PROGRAMS) == set(CLAIMS)


@pytest.mark.filterwarnings("ignore::pullback.alias.old_names.OldNameWarning")
@pytest.mark.parametrize("program", PROGRAMS)
def test_learns(program: str, run: Callable[..., str]) -> None:
    steps, claim = CLAIMS[program]
    said = run(program, steps)
    assert claim(said), said


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pullback.alias.old_names.OldNameWarning")
@pytest.mark.parametrize("program", PROGRAMS)
def test_has_tensorflows_losses(program: str, run: Callable[..., str]) -> None:
    """Twenty steps from the same seeds; all else that is printed is the same, but for the folder of the logs."""
    ours, theirs = run(program, 20), oracle.asked(Path(as_tensorflow1.__file__), str(FOLDER / f"{program}.py"), "20")
    for name in ("loss", "d_loss", "g_loss", "latent_loss"):
        np.testing.assert_allclose(losses(ours, name), losses(theirs, name), rtol=1e-4, err_msg=name)
    assert len(losses(ours, "loss")) == 20 or len(losses(ours, "g_loss")) == 20
    assert words(ours) == words(theirs)


def words(said: str) -> list[str]:
    """What was printed, without losses and folders."""
    return [re.sub(rf"loss {NUMBER}|logdir .*", "", line) for line in said.splitlines()]
