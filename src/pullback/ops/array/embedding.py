"""embedding_lookup: rows of a table, or of tables that share the rows among them."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.basics import OnesLike, Shape_, SumTo, shape_of
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.ops.array.gather import GatherV2
from pullback.ops.array.joining import ConcatV2, Pack, chain
from pullback.ops.math.arithmetic import Maximum, Sqrt
from pullback.ops.math.select import Cast, Select


@public("nn.embedding_lookup", v1=None)
def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """The rows of a table that ids name.

    Args:
      params: a table [n, ...]; or a list of tables that hold its rows one table after the other.
      ids: integers, of any shape.
      max_norm: rows whose Euclidean norm is larger are scaled to it.
    Returns:
      ids' shape followed by a row's.
    Raises:
      ArgumentError: an id is no row.
    Gradient: IndexedSlices to a single table.
    """
    return embedding_lookup_v1(params, ids, "div", name, True, max_norm)


@public(v1="nn.embedding_lookup")
def embedding_lookup_v1(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> Tensor:
    """As `embedding_lookup`.

    Args:
      partition_strategy: how rows lie in a list of tables: "div", one table after the other, or "mod", in turn.
      validate_indices: has no meaning: ids are always validated.
    """
    if partition_strategy not in ("mod", "div"):
        raise ArgumentError(
            f"embedding_lookup: partition_strategy must be 'mod' or 'div', not {partition_strategy!r}"
        ).locate()
    tables = tables_of(params)
    if not tables:
        raise ArgumentError("embedding_lookup needs at least one table").locate()
    label = name or "embedding_lookup"
    ids = interpreter.as_tensor(ids)
    if len(tables) == 1:
        rows = GatherV2()(tables[0], ids, 0, name=label)
    else:
        tensors = [interpreter.as_tensor(t) for t in tables]
        at = ids if partition_strategy == "div" else _in_turn(tensors, ids)
        rows = GatherV2()(ConcatV2()(*tensors, 0), at, 0, name=label)
    return rows if max_norm is None else _clipped(rows, ids, max_norm)


def tables_of(params: Any) -> list[Any]:
    """The tables: of a list, or of a variable in parts, each; else the one."""
    return list(params) if isinstance(params, (list, tuple)) or hasattr(params, "_variable_list") else [params]


def _in_turn(tables: list[Tensor], ids: Tensor) -> Tensor:
    """Where the rows that ids name lie when tables, dealt to in turn, stand one after the other."""
    count, starts = len(tables), [interpreter.as_tensor(0, ids.dtype)]
    for t in tables[:-1]:
        starts.append(starts[-1] + Cast(ids.dtype)(interpreter.as_tensor(Shape_()(t)[0])))
    return GatherV2()(Pack()(*starts), ids % count, 0) + ids // count


def _clipped(rows: Tensor, ids: Tensor, most: Any) -> Tensor:
    """Rows scaled so that no norm is above `most`: x * most / max(|x|, most)."""
    kept, size = ids.spec.rank, rows.spec.rank
    if kept is None or size is None:
        raise ArgumentError("embedding_lookup: max_norm needs ids and tables of known rank").locate()
    whole = shape_of(rows)
    to = chain(whole[:kept], (1,) * (size - kept))
    squares = SumTo()(rows * rows, to)
    positive = squares > 0
    norm = Select()(positive, Sqrt()(Select()(positive, squares, OnesLike()(squares))), squares)
    return rows * most / Maximum()(norm, interpreter.as_tensor(most, rows.dtype))
