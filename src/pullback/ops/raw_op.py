"""What the functions of `tf.raw_ops` are made of: an op's inputs and TensorFlow's attributes, all given by keyword.

    raw_op(globals(), MaxPool, by_attributes, {"ksize": NEEDED, "strides": NEEDED, "padding": NEEDED, ...})

declares raw_ops.MaxPool, whose inputs are those of the op's signature, and which answers as TensorFlow's does: with a
tensor, or with a named tuple of several.
"""

from __future__ import annotations

import collections
import functools
import inspect
from collections.abc import Callable
from typing import Any

from pullback.core.names import public
from pullback.core.shape import Dimension, TensorShape

NEEDED: Any = inspect.Parameter.empty
_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD


def raw_op(room: dict[str, Any], kind: Any, make: Callable[..., Any], attributes: dict[str, Any]) -> None:
    """Declares raw_ops.<kind>: `make(kind, **attributes)` is the op, called with the inputs of its signature.

    Args:
      room: the globals of the module that declares it, where the function then stands.
      attributes: TensorFlow's, name -> default, NEEDED where there is none.
    """
    inputs = [argument.name for argument in kind.parsed.inputs]
    rows = [*((name, NEEDED) for name in inputs), *attributes.items(), ("name", None)]

    def call(**values: Any) -> Any:
        values = {name: default for name, default in rows if default is not NEEDED} | values
        given = [values.pop(name) for name in inputs]
        name = values.pop("name")
        made = make(kind, **values)(*[sizes_of(x) if i in kind.static else x for i, x in enumerate(given)], name=name)
        return made if answer is None else answer(*made)

    outputs = [result.name for result in kind.parsed.results]
    outputs = outputs[: len(outputs) - kind.parsed.residuals]
    answer: Any = collections.namedtuple(kind.type, outputs) if len(outputs) > 1 else None
    call.__doc__ = kind.__doc__
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, _EITHER, default=default) for name, default in rows]
    )
    raw_function(room, kind.type, call)


def raw_function(room: dict[str, Any], name: str, function: Callable[..., Any]) -> None:
    """Declares raw_ops.<name>: the function, its arguments given by keyword."""
    made = keywords_only(function, name)
    made.__name__ = made.__qualname__ = f"raw_{name}"
    made.__module__ = room["__name__"]
    room[made.__name__] = public(f"raw_ops.{name}")(made)


def keywords_only(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """The function, its arguments to be given by name, as all of TensorFlow's raw_ops want them."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def by_name(*args: Any, **kwargs: Any) -> Any:
        if args:
            names = ", ".join(signature.parameters)
            raise TypeError(f"{name or function.__name__} only takes keyword arguments; give each by its name: {names}")
        signature.bind(**kwargs)
        return function(**kwargs)

    return by_name


def sizes_of(given: Any) -> Any:
    """A shape argument, its Dimensions as numbers."""
    if isinstance(given, TensorShape):
        return tuple(given.as_list())
    if isinstance(given, (list, tuple)):
        return tuple([n.value if isinstance(n, Dimension) else n for n in given])
    return given
