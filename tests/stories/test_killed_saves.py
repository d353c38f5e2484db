"""A process that saves is killed at random moments: the folder always restores to the last complete checkpoint.

nursery: builds the graph once --fork--> saver: step 1, 2, 3, ... says each through a pipe --SIGKILL--> nursery looks
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.io import bundle
from pullback.train.meta_graph import read_meta_graph

KILLS = 200
SEED = 7


class Saver:
    """The graph, its session, and two kinds of checkpoints in one folder: numbered ones, and one that is replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbered, self.same = str(folder / "model"), str(folder / "same")
        with tf.Graph().as_default():
            self.parts = [tf.get_variable(f"part_{i}", [500], tf.int64, tf.zeros_initializer()) for i in range(4)]
            self.saver, self.replacer = tf.train.Saver(max_to_keep=2), tf.train.Saver()
            self.session = tf.Session()

    def save_forever(self, step: int, say: int) -> None:
        """Saves every step after `step`, and says so when it is done."""
        state = tf.train.get_checkpoint_state(str(self.folder))
        self.saver.recover_last_checkpoints(state.all_model_checkpoint_paths if state else [])
        os.write(say, struct.pack("<q", step))  # from now on it may die
        while True:
            step += 1
            self.save(step)
            os.write(say, struct.pack("<q", step))

    def save(self, step: int) -> None:
        """Saves both kinds, all parts being `step`."""
        for part in self.parts:
            part.load(np.full(500, step), self.session)
        self.replacer.save(self.session, self.same, write_state=False, write_meta_graph=False)
        self.saver.save(self.session, self.numbered, global_step=step)

    def restored(self, path: str) -> int:
        """The step that a checkpoint holds, once all its parts are found to be of one step."""
        self.saver.restore(self.session, path)
        steps = {int(n) for part in self.session.run(self.parts) for n in part}
        assert len(steps) == 1, f"{path} mixes steps {sorted(steps)}"
        return steps.pop()

    def check(self, said: int) -> int:
        """The newest step in the folder; at least the last one that was said to be saved."""
        path = tf.train.latest_checkpoint(str(self.folder))
        assert path is not None
        step = self.restored(path)
        assert step >= said and path.endswith(f"-{step}")
        assert bundle.exists(self.same) and self.restored(self.same) >= said
        assert len(read_meta_graph(f"{path}.meta").graph_def.node) > 0
        return step


def kill_one(saver: Saver, step: int, wait: float) -> int:
    """Forks a process that saves, kills it after `wait` seconds, and returns the last step it said."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        try:
            saver.save_forever(step, say)
        finally:
            os._exit(1)
    os.close(say)
    (said,) = struct.unpack("<q", os.read(hear, 8))
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(hear, 8):
        (said,) = struct.unpack("<q", data)
    os.close(hear)
    return said


def nursery(folder: Path) -> None:
    saver, drawn, step = Saver(folder), random.Random(SEED), 1
    saver.save(step)  # what it compiles, its children have
    start = time.perf_counter()
    saver.save(step)
    one = time.perf_counter() - start
    for _ in range(KILLS):
        said = kill_one(saver, step, drawn.uniform(0, 3 * one))
        step = saver.check(said)
    assert step > KILLS // 20, f"only {step} saves in {KILLS} lives: the test kills too early to say anything"
    print(f"killed {KILLS} times, {step} steps saved")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_a_folder_always_restores_to_the_last_complete_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.startswith(f"killed {KILLS} times")


if __name__ == "__main__":
    nursery(Path(sys.argv[1]))
