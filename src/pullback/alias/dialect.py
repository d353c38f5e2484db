"""Which TensorFlow a program is written for.

TensorFlow 1 if it uses a name that only TensorFlow 1 has (`tf.Session`, `tf.placeholder`, `tf.contrib`, names from
before 1.0), or asks `compat.v1` to switch TensorFlow 2's behaviour off; else TensorFlow 2. `compat.v1` by itself
decides nothing: programs of TensorFlow 2 use it too.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.alias import internal, old_names
from pullback.alias.only_tf1 import in_namespace, only_tf1
from pullback.alias.uses import Scan, Use

_SWITCHES = {
    f"compat.v1.{name}" for name in ("disable_v2_behavior", "disable_eager_execution", "disable_v2_tensorshape")
}


class Decision(NamedTuple):
    """The dialect, "tf1" or "tf2", and what said so."""

    dialect: str
    why: str

    def __str__(self) -> str:
        return f"{'TensorFlow 1' if self.dialect == 'tf1' else 'TensorFlow 2'} ({self.why})"


def decide(scan: Scan) -> Decision:
    """The dialect of a scanned program."""
    for use in scan.uses:
        if marks_tf1(use.path):
            return Decision("tf1", _where(use))
    for use in scan.uses:
        if internal.inside(use.path) and ".keras" not in use.path and _old_module(use.path):
            return Decision("tf1", _where(use))
    if not scan.uses:
        return Decision("tf2", "it names nothing of TensorFlow")
    return Decision("tf2", "no name that only TensorFlow 1 has")


def marks_tf1(path: str) -> bool:
    """Whether a name is only TensorFlow 1's, or switches TensorFlow 2's behaviour off."""
    return path in _SWITCHES or only_tf1(path) or any(path == n or path.startswith(f"{n}.") for n in old_names.NAMES)


def _old_module(path: str) -> bool:
    """Whether an inner module is used for what only TensorFlow 1 programs need: contrib's cells, flags, gen_nn_ops."""
    return only_tf1(path.rpartition(".")[2])


def _where(use: Use) -> str:
    words = use.path.split(".")
    fronts = [".".join(words[:i]) for i in range(1, len(words) + 1)]
    name = next((front for front in fronts if marks_tf1(front) and not in_namespace(front)), use.path)
    return f"tf.{name}, {use.file.replace(chr(92), '/').rpartition('/')[2]}:{use.line}"
