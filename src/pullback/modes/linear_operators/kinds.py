"""How operators are made: they remember their arguments, and a class's TensorFlow 1 variant is the same kind."""

from __future__ import annotations

import abc
import functools
import inspect
from typing import Any


@functools.cache
def _signature(made_by: Any) -> inspect.Signature:
    return inspect.signature(made_by)


class Recorded:
    """Base of objects that remember what they were made with."""

    _parameters: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        bound = _signature(cls.__init__).bind_partial(made, *args, **kwargs)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        made._parameters = functools.partial(dict, given)  # no dict: attributes hold the variables already
        return made


class Kind(abc.ABCMeta):
    """Metaclass of operators: a class and its TensorFlow 1 variant have the same instances."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return abc.ABCMeta.__instancecheck__(vars(cls).get("_variant_of", cls), instance)
