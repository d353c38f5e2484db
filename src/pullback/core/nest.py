"""Nests: Python structures with tensors in them. optree does the work and is loaded with the first real nest."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_LEAF = "leaf"
# Classes of ours that are structure: class -> (taken apart, made again), see `structured`.
_STRUCTURED: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {}


def flatten(nest: Any) -> tuple[list[Any], Any]:
    """(leaves in order, what `unflatten` needs). Lists, tuples, namedtuples, dicts (keys sorted) and attrs classes are
    structure; None is a leaf."""
    kind = type(nest)
    if kind is list or kind is tuple:
        if all(
            type(v) not in (list, tuple, dict)
            and type(v) not in _STRUCTURED
            and not hasattr(v, "_fields")
            and not hasattr(v, "keys")
            for v in nest
        ):
            return list(nest), kind
    elif (
        kind is not dict
        and kind not in _STRUCTURED
        and not isinstance(nest, (list, tuple))
        and not hasattr(nest, "keys")
    ):
        return [nest], _LEAF
    leaves, definition = _optree(len(_STRUCTURED)).tree_flatten(nest, none_is_leaf=True, namespace="pullback")
    return leaves, definition


def structured(cls: type, apart: Callable[[Any], Any], again: Callable[[Any, Any], Any]) -> None:
    """Makes a class structure: `apart(value)` gives (leaves, what else it holds), `again(held, leaves)` the value.
    What else it holds must hash and compare."""
    _STRUCTURED[cls] = apart, again


@functools.cache
def _optree(classes: int) -> Any:
    """optree, knowing so many classes of ours."""
    import optree

    for cls in list(_STRUCTURED)[_known[0] : classes]:
        optree.register_pytree_node(cls, *_STRUCTURED[cls], namespace="pullback")  # type: ignore[arg-type]
    _known[0] = classes
    return optree


_known = [0]


def unflatten(structure: Any, leaves: list[Any]) -> Any:
    """The nest that `flatten` took apart, with other leaves."""
    if structure is _LEAF:
        return leaves[0]
    if structure is list or structure is tuple:
        return structure(leaves)
    return structure.unflatten(leaves)


def leaves_of(nest: Any) -> list[Any]:
    return flatten(nest)[0]


def mapped(f: Callable[..., Any], nest: Any, *others: Any) -> Any:
    """f on each leaf (and the matching leaves of others), in the same structure.

    Raises:
      ValueError: the structures differ.
    """
    leaves, structure = flatten(nest)
    rest = [flatten(o) for o in others]
    if any(len(other) != len(leaves) for other, _ in rest):
        raise ValueError(f"the nests have {[len(leaves), *(len(o) for o, _ in rest)]} leaves; they must match")
    return unflatten(structure, [f(*row) for row in zip(leaves, *(o for o, _ in rest), strict=True)])


def is_nest(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict)) or type(value) in _STRUCTURED
