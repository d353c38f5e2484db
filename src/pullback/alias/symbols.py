"""From a name under `tensorflow` to what it means here.

    tensorflow.nn.relu                      the dialect's public name "nn.relu"
    tensorflow.compat.v1.Session            TensorFlow 1's public name "Session", whatever the dialect
    tensorflow.mul                          TensorFlow 1 only: a name from before 1.0, see `old_names`
    tensorflow.contrib.rnn.BasicLSTMCell    "contrib.rnn.BasicLSTMCell", else where 1.x keeps it: "nn.rnn_cell..."
    tensorflow.python.ops.nn_ops.relu       a module inside TensorFlow: by its own name, see `internal`

Finding loads nothing: `lookup` answers with what loads. So `check` asks the same table as `import` does.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NamedTuple

from pullback import dtype_names
from pullback._names import V1, V2
from pullback.alias import internal, old_names
from pullback.namespace import find, in_default_graph, is_namespace

_TABLES = {"v1": V1, "v2": V2}
_PLAIN = {*dtype_names.__all__, "newaxis"}
# Where TensorFlow 1.15 keeps what a namespace of contrib also showed, first match first.
_CONTRIB = {
    "contrib.rnn": ("nn.rnn_cell", "nn"),
    "contrib.slim": ("contrib.layers", "contrib.framework", "losses"),
    "contrib.losses": ("losses",),
    "contrib.metrics": ("metrics",),
    "contrib.distributions": ("distributions",),
    "contrib.eager": ("",),
    "contrib.framework": ("train", "", "nest"),
    "contrib.layers": ("initializers", "nn"),
    "contrib.training": ("train",),
    "contrib.summary": ("summary",),
    "contrib.data": ("data.experimental", "data"),
    "contrib.lookup": ("lookup",),
    "contrib.keras": ("keras",),
    "contrib.opt": ("train",),
    "contrib.nn": ("nn",),
    "contrib.signal": ("signal",),
    "contrib.saved_model": ("saved_model",),
    "contrib.autograph": ("autograph",),
    "contrib.distribute": ("distribute",),
    "contrib.image": ("image",),
    "contrib.framework.nest": ("nest",),
    "contrib.util": ("",),
}
# Modules whose names Keras 2 also showed one level up: np_utils, generic_utils, vis_utils.
_KERAS_UTILS = re.compile(r"keras\.utils\.[a-z]+_utils")


class Found(NamedTuple):
    """What a name leads to: how it is called here, and what gives it."""

    shown: str
    load: Callable[[], Any]


def lookup(dialect: str, path: str) -> Found | None:
    """What `tensorflow.<path>` is for a program of this dialect ("v1" or "v2"); None when there is no such thing."""
    for version in ("v1", "v2"):
        if path.startswith(f"compat.{version}."):
            return lookup_public(version, path.removeprefix(f"compat.{version}."))
    if internal.inside(path):
        return _internal(dialect, path)
    if inner := _inside_contrib(path) or _inside_keras(path):
        return lookup(dialect, inner)
    if dialect == "v2":
        return lookup_public("v2", path)
    old = old_names.lookup(path)
    if old is not None and lookup_public("v1", old.new) is not None:
        return Found(f"pullback.v1.{old.new}, by an old name", lambda: old_names.load(path, old))
    return lookup_public("v1", path) or _moved(path) or _later(path)


def lookup_public(dialect: str, name: str) -> Found | None:
    """A public name of a dialect."""
    shown = f"{'pullback.v1' if dialect == 'v1' else 'pullback'}.{name}"
    if name in _TABLES[dialect]:
        if dialect == "v1":
            return Found(shown, lambda: old_names.with_old_arguments(name, find("v1", name)))
        return Found(shown, lambda: _where_current(find("v2", name)))
    if name in _PLAIN:
        return Found(shown, lambda: getattr(dtype_names, name, None))
    if name.rpartition(".")[2] == "__version__":
        return lookup_public(dialect, "version.VERSION")
    return None


def _where_current(value: Any) -> Any:
    """A function of TensorFlow 2 that follows `compat.v1.disable_eager_execution()` into the default graph."""
    return in_default_graph(value) if isinstance(value, FunctionType) else value


def _inside_contrib(path: str) -> str | None:
    """ "contrib.layers.conv2d" of "contrib.layers.python.layers.layers.conv2d": a module inside contrib shows what
    contrib itself shows, or its namespace of that name: "contrib.slim.learning.train" of
    "contrib.slim.python.slim.learning.train". None of other paths."""
    shown, found, inner = path.partition(".python")
    if not (found and path.startswith("contrib.") and inner):
        return None
    *_, module, name = f".{inner}".split(".")
    own = f"{shown}.{module}.{name}"
    return own if own in V1 else f"{shown}.{name}"


def _inside_keras(path: str) -> str | None:
    """ "keras.utils.to_categorical" of "keras.utils.np_utils.to_categorical"; None of other paths."""
    space, _, name = path.rpartition(".")
    return f"keras.utils.{name}" if _KERAS_UTILS.fullmatch(space) else None


def _moved(path: str) -> Found | None:
    """A name of contrib that 1.15 has elsewhere."""
    space, _, name = path.rpartition(".")
    for other in _CONTRIB.get(space, ()):
        found = lookup_public("v1", f"{other}.{name}" if other else name)
        if found is not None:
            return found
    return None


def _later(path: str) -> Found | None:
    """A name that only TensorFlow 2 has: programs that switch its behaviour off use both."""
    found = lookup_public("v2", path)
    return None if found is None else Found(found.shown, found.load)


def _internal(dialect: str, path: str) -> Found | None:
    if not path.startswith("python.keras.") and internal.is_module(path):
        return None  # `from tensorflow.python.ops import variable_scope` is the module, not the class
    own = internal.unexported(path)
    if own is not None:
        return Found(f"pullback's {path.rpartition('.')[2]}", own)
    for name in internal.public_names(path, V1):
        found = lookup_public("v1", name) or (lookup_public("v2", name) if dialect == "v2" else None)
        if found is not None and name.startswith("raw_ops."):
            return Found(found.shown, functools.partial(_by_position, found))
        if found is not None:
            return found
    op = internal.op_function(path)
    return None if op is None else Found(f"the op {op[0]}", op[1])


def _by_position(found: Found) -> Any:
    return internal.by_position(found.load())


def is_space(dialect: str, path: str) -> bool:
    """Whether `tensorflow.<path>` is a module: "", "nn", "compat.v1.train", "python.framework.ops"."""
    if path in ("", "compat", "compat.v1", "compat.v2"):
        return True
    for version in ("v1", "v2"):
        if path.startswith(f"compat.{version}."):
            return is_namespace(version, path.removeprefix(f"compat.{version}."))
    if internal.inside(path):
        return internal.is_module(path)
    if _KERAS_UTILS.fullmatch(path):
        return True
    if path.startswith("contrib.") and ".python" in path:
        return path.rpartition(".")[2].islower() and is_space(dialect, path.partition(".python")[0])
    if is_namespace(dialect, path):
        return True
    return dialect == "v1" and (path in _CONTRIB or path in old_names.SPACES or is_namespace("v2", path))


def names(dialect: str, path: str) -> list[str]:
    """What stands directly under `tensorflow.<path>`, for `dir` and `import *`."""
    for version in ("v1", "v2"):
        if path == f"compat.{version}" or path.startswith(f"compat.{version}."):
            return names(version, path[len(f"compat.{version}.") :])
    front = f"{path}." if path else ""
    here = {name[len(front) :].partition(".")[0] for name in _TABLES[dialect] if name.startswith(front)}
    return sorted(here | (_PLAIN if not path else set()))


def near(dialect: str, path: str, most: int = 3) -> list[str]:
    """Public names that may be meant, as a program would write them: those of the same last word first."""
    for version in ("v1", "v2"):
        if path.startswith(f"compat.{version}."):
            return [f"compat.{version}.{name}" for name in near(version, path[len(f"compat.{version}.") :], most)]
    found = dict.fromkeys([*_same_word(dialect, path), *difflib.get_close_matches(path, _TABLES[dialect], most, 0.75)])
    return list(found)[:most]


def _same_word(dialect: str, path: str) -> Iterator[str]:
    word = path.rpartition(".")[2].lower()
    ours = [name for name in _TABLES[dialect] if name.rpartition(".")[2].lower() == word and name != path]
    yield from sorted(ours, key=lambda name: (name.count("."), name))


def missing(dialect: str, path: str) -> str:
    """What to say of a name that is not there: which, what is near, how to see all at once."""
    version = "1" if dialect == "v1" or path.startswith("compat.v1.") else "2"
    said = f"pullback has no tf.{path} (TensorFlow {version})"
    alike = near(dialect, path)
    if alike:
        said += f"; near it: {', '.join(f'tf.{name}' for name in alike)}"
    elif dialect == "v2" and lookup_public("v1", path) is not None:
        said += f"; tf.compat.v1.{path} is there, and --tf1 runs a program as TensorFlow 1"
    return f"{said}. `pullback check SCRIPT` lists every name a script uses and which are missing"
