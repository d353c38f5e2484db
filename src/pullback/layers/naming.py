"""Names of layers: `dense`, `dense_1`, ... counted in each graph, and for all of eager mode together."""

from __future__ import annotations

import re
import weakref

from pullback.core.graph import Graph
from pullback.modes.default import graph_for

_in_graphs: weakref.WeakKeyDictionary[Graph, dict[str, int]] = weakref.WeakKeyDictionary()
_eagerly: dict[str, int] = {}


def snake(name: str) -> str:
    """BatchNormalization -> batch_normalization, Conv2DTranspose -> conv2d_transpose."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()
    return f"private{spaced}" if spaced.startswith("_") else spaced


def _counts() -> dict[str, int]:
    here = graph_for()
    outermost = here.outermost if isinstance(here, Graph) else here
    return _in_graphs.setdefault(outermost, {}) if isinstance(outermost, Graph) else _eagerly


def numbered(base: str, from_zero: bool = True) -> str:
    """A name that no layer has yet: base, base_1, ...; tf.layers counts from one, so begins with base_1."""
    counts = _counts()
    count = counts.get(base, 0)
    counts[base] = count + 1
    if from_zero:
        return f"{base}_{count}" if count else base
    return f"{base}_{count + 1}"


def forget() -> None:
    """Begins the eager count anew."""
    _eagerly.clear()
