"""`tf.nest`: Python structures with tensors in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core import nest
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.ops.sparse import SparseTensor

_COMPOSITES = (SparseTensor, IndexedSlices)


def _kept(structure: Any, expand_composites: bool) -> Any:
    """The structure, its sparse tensors packed as leaves unless they are to be taken apart."""
    if expand_composites:
        return structure
    if isinstance(structure, _COMPOSITES):
        return _Leaf(structure)
    if isinstance(structure, dict):
        return {k: _kept(v, False) for k, v in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_kept(v, False) for v in structure])
    if isinstance(structure, (list, tuple)):
        return type(structure)([_kept(v, False) for v in structure])
    return structure


class _Leaf:
    """A value that is not taken apart."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _bare(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, _Leaf) else leaf


@public("nest.flatten")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of lists, tuples, namedtuples and dicts (by sorted keys), in order. A leaf alone gives [leaf].

    Args:
      expand_composites: take sparse tensors apart too.
    """
    return [_bare(leaf) for leaf in nest.leaves_of(_kept(structure, expand_composites))]


@public("nest.is_nested")
def is_nested(seq: Any) -> bool:
    """Whether a value is a list, tuple or dict."""
    return isinstance(seq, (list, tuple, dict))


@public("nest.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The structure with other leaves.

    Raises:
      ValueError: their number is another. TypeError: they are no list.
    """
    if not isinstance(flat_sequence, (list, tuple)):
        raise TypeError(f"flat_sequence must be a list or tuple, not {type(flat_sequence).__name__}")
    leaves, definition = nest.flatten(_kept(structure, expand_composites))
    if len(leaves) != len(flat_sequence):
        raise ValueError(
            f"pack_sequence_as: the structure has {len(leaves)} leaves, but {len(flat_sequence)} were given"
        )
    return nest.unflatten(definition, list(flat_sequence))


@public("nest.map_structure")
def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """func of each leaf (and the matching leaves of the other structures), in the first one's structure.

    Args:
      kwargs: check_types (True): the structures' classes must be equal too; expand_composites (False).
    Raises:
      TypeError: func is no function. ValueError: there is no structure, or they differ.
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(f"map_structure takes check_types and expand_composites by name, not {', '.join(kwargs)}")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check, expand)
    rows = zip(*(flatten(s, expand) for s in structure), strict=True)
    return pack_sequence_as(structure[0], [func(*row) for row in rows], expand)


@public("nest.assert_same_structure")
def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Checks that two structures are the same but for their leaves.

    Raises:
      ValueError: they differ in shape. TypeError: in classes, when check_types.
    """
    one, other = is_nested(nest1), is_nested(nest2)
    if one != other:
        raise ValueError(f"The two structures don't have the same nested structure: {nest1!r} and {nest2!r}")
    if not one:
        return
    named = hasattr(nest1, "_fields") and hasattr(nest2, "_fields")
    same_names = named and type(nest1).__name__ == type(nest2).__name__ and nest1._fields == nest2._fields
    mappings = isinstance(nest1, dict) and isinstance(nest2, dict)
    if check_types and type(nest1) is not type(nest2) and not same_names and not mappings:
        raise TypeError(
            f"The two structures don't have the same sequence type: {type(nest1).__name__} and {type(nest2).__name__}"
        )
    if isinstance(nest1, dict) != isinstance(nest2, dict) or len(nest1) != len(nest2):
        raise ValueError(f"The two structures don't have the same number of elements: {nest1!r} and {nest2!r}")
    if isinstance(nest1, dict):
        if set(nest1) != set(nest2):
            raise ValueError(f"The two dictionaries don't have the same set of keys: {set(nest1)} and {set(nest2)}")
        pairs = [(nest1[k], nest2[k]) for k in nest1]
    else:
        pairs = list(zip(nest1, nest2, strict=True))
    for a, b in pairs:
        assert_same_structure(a, b, check_types, expand_composites)
