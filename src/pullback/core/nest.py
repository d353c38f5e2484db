"""Nests: Python structures with tensors in them. optree does the work and is loaded with the first real nest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LEAF = "leaf"


def flatten(nest: Any) -> tuple[list[Any], Any]:
    """(leaves in order, what `unflatten` needs). Lists, tuples, namedtuples, dicts (keys sorted) and attrs classes are
    structure; None is a leaf."""
    kind = type(nest)
    if kind is list or kind is tuple:
        if all(
            type(v) not in (list, tuple, dict) and not hasattr(v, "_fields") and not hasattr(v, "keys") for v in nest
        ):
            return list(nest), kind
    elif kind is not dict and not isinstance(nest, (list, tuple)) and not hasattr(nest, "keys"):
        return [nest], _LEAF
    import optree

    leaves, definition = optree.tree_flatten(nest, none_is_leaf=True, namespace="pullback")  # type: ignore[arg-type]
    return leaves, definition


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
    return isinstance(value, (list, tuple, dict))
