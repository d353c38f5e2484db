"""NumPy's names from before 2.0, for programs of TensorFlow 1's time: `np.int`, `np.float`, `np.asscalar`.

`pullback run` puts them back for the program it runs, one warning each. They are found only where NumPy has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.alias.old_names import warn_once

_VALUES: dict[str, tuple[str, Any]] = {
    "int": ("int", int),
    "float": ("float", float),
    "complex": ("complex", complex),
    "object": ("object", object),
    "str": ("str", str),
    "unicode": ("str", str),
    "float_": ("np.float64", np.float64),
    "complex_": ("np.complex128", np.complex128),
    "string_": ("np.bytes_", np.bytes_),
    "unicode_": ("np.str_", np.str_),
    "Inf": ("np.inf", np.inf),
    "Infinity": ("np.inf", np.inf),
    "infty": ("np.inf", np.inf),
    "PINF": ("np.inf", np.inf),
    "NINF": ("-np.inf", -np.inf),
    "NaN": ("np.nan", np.nan),
    "product": ("np.prod", np.prod),
    "cumproduct": ("np.cumprod", np.cumprod),
    "alltrue": ("np.all", np.all),
    "sometrue": ("np.any", np.any),
    "round_": ("np.round", np.round),
    "row_stack": ("np.vstack", np.vstack),
    "mat": ("np.asmatrix", np.asmatrix),
    "asscalar": ("array.item()", lambda a: np.asarray(a).item()),
    "asfarray": ("np.asarray(a, float)", lambda a, dtype=float: np.asarray(a, dtype)),
}


def install() -> Callable[[], None]:
    """Puts the old names behind NumPy's own; the answer takes them out again."""
    module: Any = vars(np)
    before = module["__getattr__"]

    def found(name: str) -> Any:
        if name not in _VALUES:
            return before(name)
        new, value = _VALUES[name]
        warn_once(f"np.{name}", new, since="NumPy 2")
        return value

    def remove() -> None:
        if module["__getattr__"] is found:
            module["__getattr__"] = before

    module["__getattr__"] = found
    return remove
