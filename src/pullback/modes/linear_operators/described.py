"""What is known of an operator before anything is computed: hints, parameters, shapes."""

from __future__ import annotations

import abc
import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.shape import Dimension, TensorShape, as_shape, known
from pullback.core.tensor import Tensor
from pullback.modes.linear_operators import hints
from pullback.modes.linear_operators.hints import HintError
from pullback.modes.linear_operators.kinds import Kind, Recorded
from pullback.modes.linear_operators.shapes import Dims, static
from pullback.modes.module import Module
from pullback.ops.array.knowledge import is_tensor
from pullback.ops.array.sizes import size
from pullback.ops.linalg.structured import Structured
from pullback.ops.math.scopes import scope


class Described(Recorded, Structured, Module, metaclass=Kind):
    """Base of operators: arguments as LinearOperator's."""

    _where: Any = staticmethod(contextlib.nullcontext)  # where methods build; TensorFlow 1's variants have another

    def __init__(
        self,
        dtype: Any,
        graph_parents: Any = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
        parameters: Any = None,
    ) -> None:
        if is_positive_definite:
            is_non_singular = hints.settled(is_non_singular, True, "a positive definite matrix is always non-singular")
        if is_non_singular:
            is_square = hints.settled(is_square, True, "a non-singular matrix is always square")
        if is_self_adjoint:
            is_square = hints.settled(is_square, True, "a self-adjoint matrix is always square")
        for i, parent in enumerate(graph_parents or ()):
            if not is_tensor(parent):
                raise ArgumentError(f"graph_parents[{i}] must be a tensor, but is {parent!r}").locate()
        self._graph_parents = list(graph_parents or ())
        self._dtype = None if dtype is None else as_dtype(dtype).base_dtype
        self._is_non_singular, self._is_self_adjoint = is_non_singular, is_self_adjoint
        self._is_positive_definite, self._square_hint = is_positive_definite, is_square
        if parameters is not None:
            self._parameters = functools.partial(dict, parameters)
        self._name = name or type(self).__name__
        self._scope_name = f"{self._name}/"

    @contextlib.contextmanager
    def _name_scope(self, name: str | None = None) -> Iterator[None]:
        with self._where(), scope(f"{self.name}/{name}" if name else self.name, self.name, *self._graph_parents):
            yield

    # --- what it is ---------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, Any]:
        """What the operator was made with."""
        return self._parameters()

    @property
    def dtype(self) -> DType:
        return self._dtype  # type: ignore[return-value]

    @property
    def graph_parents(self) -> list[Any]:
        """The tensors named as such when the operator was made."""
        return self._graph_parents

    @property
    def is_non_singular(self) -> bool | None:
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """As hinted, otherwise as the known shape says.

        Raises:
          ArgumentError: is_square=False was given for a matrix that is square.
        """
        rows, columns = self.range_dimension.value, self.domain_dimension.value
        seen = None if rows is None or columns is None else rows == columns
        if self._square_hint is False and seen:
            raise ArgumentError(f"{self.name} was made with is_square=False, but its shape is {self.shape}").locate()
        return seen if self._square_hint is None else self._square_hint

    # --- shapes -------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def _shape(self) -> Any:
        """What is known of the shape: a TensorShape, or a tuple."""

    def _shape_tensor(self) -> Dims:
        """The shape when it runs. Needed where `_shape` may be known in part only."""
        raise HintError(
            f"{type(self).__name__}: its shape {self.shape} is not known before it runs; write _shape_tensor"
        ).locate()

    @property
    def shape(self) -> TensorShape:
        """What is known of [batch..., M, N]."""
        with self._where():
            return interpreter.current().dialect.shape(self._shape())

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """The shape, int32: a constant where it is known."""
        with self._name_scope(name):
            return interpreter.as_tensor(self._dims(), "int32")

    @property
    def batch_shape(self) -> TensorShape:
        """The shape but its last two axes."""
        return self.shape[:-2]

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        with self._name_scope(name):
            return interpreter.as_tensor(self._batch(), "int32")

    @property
    def tensor_rank(self) -> int | None:
        """How many axes the matrix has, batch axes included."""
        return self.shape.rank

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        with self._name_scope(name):
            rank = self.tensor_rank
            return size(self.shape_tensor()) if rank is None else interpreter.as_tensor(rank)

    @property
    def domain_dimension(self) -> Dimension:
        """N, of the vectors the operator takes."""
        return Dimension((as_shape(self._shape()) or (None,))[-1])

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        with self._name_scope(name):
            return interpreter.as_tensor(self._columns(), "int32")

    @property
    def range_dimension(self) -> Dimension:
        """M, of the vectors the operator answers with."""
        return Dimension((as_shape(self._shape()) or (None, None))[-2])

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        with self._name_scope(name):
            return interpreter.as_tensor(self._rows(), "int32")

    def _dims(self) -> Dims:
        """The shape to build tensors from: a tuple where it is known, else a vector."""
        shape = static(self)
        return shape if known(shape) else self._shape_tensor()

    def _batch(self) -> Dims:
        shape = as_shape(self.batch_shape)
        return shape if known(shape) else self._dims()[:-2]

    def _rows(self) -> Any:
        known_rows = self.range_dimension.value
        return self._dims()[-2] if known_rows is None else known_rows

    def _columns(self) -> Any:
        known_columns = self.domain_dimension.value
        return self._dims()[-1] if known_columns is None else known_columns
