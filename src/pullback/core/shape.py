"""Shapes that may be known in part: tuples with None inside, and the public TensorShape over them.

Inside the library a shape is a tuple whose unknown dimensions are None, or None when even the rank is
unknown. `TensorShape` is what users see; under TensorFlow 1's dialect its entries are `Dimension`s.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pullback.core.errors import ShapeError
from pullback.core.names import public

Shape = tuple[int | None, ...] | None


def merged(a: Shape, b: Shape, what: str = "shapes") -> Shape:
    """What two descriptions of one shape say together.

    Raises:
      ShapeError: they contradict each other.
    """
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b) or any(m is not None and n is not None and m != n for m, n in zip(a, b, strict=True)):
        raise ShapeError(f"{what} {text(a)} and {text(b)} are not compatible")
    return tuple(n if m is None else m for m, n in zip(a, b, strict=True))


def compatible(a: Shape, b: Shape) -> bool:
    """Whether one shape could be both."""
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))


def joined(a: Shape, b: Shape) -> Shape:
    """The most that is true of either: differing dimensions become unknown."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))


def known(shape: Shape) -> bool:
    """Whether every dimension is known."""
    return shape is not None and None not in shape


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcasting, with unknown dimensions. (a,1) with (?,b) -> (?,b)

    Raises:
      ShapeError: two dimensions differ and neither is 1.
    """
    if any(s is None for s in shapes):
        return None
    rank = max((len(s) for s in shapes if s is not None), default=0)
    out: list[int | None] = [1] * rank
    for s in shapes:
        assert s is not None
        for i, n in enumerate(s, rank - len(s)):
            m = out[i]
            if n == 1 or m == n:
                continue
            if m == 1:
                out[i] = n
            elif m is None:
                out[i] = n  # n > 1 settles it; the unknown one is 1 or n
            elif n is not None:
                raise ShapeError(
                    f"shapes {' and '.join(map(text, shapes))} do not broadcast: "
                    f"dimension {i - rank} is {m} in one and {n} in another; they must be equal or 1"
                )
    return tuple(out)


def size_of(shape: Shape) -> int | None:
    """How many elements; None when unknown."""
    return math.prod(shape) if known(shape) else None  # type: ignore[arg-type]


def text(shape: Shape) -> str:
    """ "[2,?,3]", the way shapes stand in messages."""
    return "<unknown>" if shape is None else "[" + ",".join("?" if n is None else str(n) for n in shape) + "]"


@public("compat.v1.Dimension", v1=("Dimension", "compat.v1.Dimension"))
class Dimension:
    """One dimension under TensorFlow 1: a number or unknown. Arithmetic with an unknown is unknown."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: int | None = (
            value.value if isinstance(value, Dimension) else None if value is None else operator.index(value)
        )
        if self.value is not None and self.value < 0:
            raise ShapeError(f"a dimension must be at least 0, not {self.value}")

    def __repr__(self) -> str:
        return f"Dimension({self.value})"

    def __str__(self) -> str:
        return "?" if self.value is None else str(self.value)

    def __int__(self) -> int | None:
        return self.value

    def __index__(self) -> int:
        if self.value is None:
            raise TypeError("an unknown dimension has no number; feed it or set the shape first")
        return self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> Any:
        try:
            other = Dimension(other)
        except TypeError:
            return NotImplemented
        return None if self.value is None or other.value is None else self.value == other.value

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is None or equal is NotImplemented else not equal

    def is_compatible_with(self, other: Any) -> bool:
        other = Dimension(other)
        return self.value is None or other.value is None or self.value == other.value

    def merge_with(self, other: Any) -> Dimension:
        (merge,) = merged((self.value,), (Dimension(other).value,), "dimensions") or (None,)
        return Dimension(merge)


def _arithmetic(name: str, f: Callable[[int, int], Any], wrap: Callable[[Any], Any]) -> None:
    def forward(self: Dimension, other: Any) -> Any:
        try:
            other = Dimension(other)
        except TypeError:
            return NotImplemented
        return wrap(None if self.value is None or other.value is None else f(self.value, other.value))

    def backward(self: Dimension, other: Any) -> Any:
        return forward(Dimension(other), self)

    setattr(Dimension, f"__{name}__", forward)
    if wrap is Dimension:
        setattr(Dimension, f"__r{name}__", backward)


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _arithmetic(_name, getattr(operator, _name), Dimension)
for _name in ("lt", "le", "gt", "ge"):
    _arithmetic(_name, getattr(operator, _name), lambda answer: answer)


@public("TensorShape", v1=None)
class TensorShape:
    """A tensor's shape, known entirely, in part, or not at all (`TensorShape(None)`)."""

    __slots__ = ("_dims",)
    _entry: Callable[[int | None], Any] = staticmethod(lambda n: n)

    def __init__(self, dims: Any) -> None:
        self._dims: Shape = as_shape(dims)

    @property
    def rank(self) -> int | None:
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        return self.rank

    @property
    def dims(self) -> list[Dimension] | None:
        return None if self._dims is None else [Dimension(n) for n in self._dims]

    def as_list(self) -> list[int | None]:
        """The dimensions, None where unknown.

        Raises:
          ValueError: the rank is unknown.
        """
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape; check `shape.rank` first")
        return list(self._dims)

    def num_elements(self) -> int | None:
        return size_of(self._dims)

    def is_fully_defined(self) -> bool:
        return known(self._dims)

    def assert_is_fully_defined(self) -> None:
        if not known(self._dims):
            raise ValueError(f"Shape {self} is not fully defined")

    def is_compatible_with(self, other: Any) -> bool:
        return compatible(self._dims, as_shape(other))

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ShapeError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def assert_has_rank(self, rank: int) -> None:
        if self.rank not in (None, rank):
            raise ShapeError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        other = TensorShape(other)
        if None not in (self.rank, other.rank) and self.rank != other.rank:
            raise ShapeError(f"Shapes {self} and {other} must have the same rank")

    def with_rank(self, rank: int) -> TensorShape:
        return self.merge_with((None,) * rank)

    def with_rank_at_least(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) < rank:
            raise ShapeError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) > rank:
            raise ShapeError(f"Shape {self} must have rank at most {rank}")
        return self

    def merge_with(self, other: Any) -> TensorShape:
        return type(self)(merged(self._dims, as_shape(other)))

    def concatenate(self, other: Any) -> TensorShape:
        other = as_shape(other)
        return type(self)(None if self._dims is None or other is None else self._dims + other)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return type(self)(other).concatenate(self)

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of a shape of unknown rank; check `shape.rank` first")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[Any]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape of unknown rank; check `shape.rank` first")
        return iter([self._entry(n) for n in self._dims])

    def __getitem__(self, key: Any) -> Any:
        if self._dims is None:
            return type(self)(None) if isinstance(key, slice) else self._entry(None)
        return type(self)(self._dims[key]) if isinstance(key, slice) else self._entry(self._dims[key])

    def __eq__(self, other: object) -> bool:
        try:
            return self._dims == as_shape(other)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        inner = ", ".join("None" if n is None else str(n) for n in self._dims)
        return f"({inner},)" if len(self._dims) == 1 else f"({inner})"


@public(v1="TensorShape")
class TensorShapeV1(TensorShape):
    """TensorShape under TensorFlow 1, where an entry is a `Dimension`."""

    __slots__ = ()
    _entry = staticmethod(Dimension)

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"

    def __str__(self) -> str:
        return TensorShape.__str__(self).replace("None", "?")


def as_shape(dims: Any) -> Shape:
    """Tuple with None inside (or None) of anything that says a shape.

    Raises:
      ShapeError: a dimension is negative.
      TypeError: it says no shape.
    """
    if dims is None:
        return None
    if isinstance(dims, TensorShape):
        return dims._dims
    if isinstance(dims, Iterable) and not isinstance(dims, (str, bytes, Dimension)):
        return tuple(Dimension(n).value for n in dims)
    return (Dimension(dims).value,)
