"""Matrix products.

    MatMul         [n,k] x [k,m] -> [n,m]
    BatchMatMulV2  [...,n,k] x [...,k,m] -> [...,n,m]      leading axes broadcast

Each is its own gradient, with the flags turned: from y = a b follow da = dy b^H and db = a^H dy. So no other op is
needed for any order of derivative.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.backprop import asked
from pullback.core.basics import Shape_
from pullback.core.dtypes import NUMBERS, as_dtype
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Tensor
from pullback.ops.array.layout import Transpose
from pullback.ops.array.shape import ExpandDims, Reshape, Squeeze
from pullback.ops.linalg import structured
from pullback.ops.math.elementwise import aligned, conj
from pullback.ops.math.scopes import scope


def product(a: Any, b: Any) -> Any:
    """a @ b. Types of 16 bits are multiplied and added as float32, as TensorFlow does, and rounded once."""
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    return np.matmul(a, b)


def _inner(op_type: str, a: Spec, b: Spec, flip_a: bool, flip_b: bool) -> tuple[Any, Any]:
    """(n, m) of the product [n,k] x [k,m], once k is found to be the same."""
    n, k = a.shape[-1:-3:-1] if flip_a else a.shape[-2:]  # type: ignore[index]
    k2, m = b.shape[-1:-3:-1] if flip_b else b.shape[-2:]  # type: ignore[index]
    if k is not None and k2 is not None and k != k2:
        raise ShapeError(
            f"{op_type}: inner dimensions must be equal, but are {k} and {k2} for {shape.text(a.shape)}"
            f"{' transposed' if flip_a else ''} times {shape.text(b.shape)}{' transposed' if flip_b else ''}"
        )
    return n, m


@op
class MatMul(Op):
    """y[i,j] = sum_k a[i,k] b[k,j], either factor transposed first where its flag says so.

    a [n,k]   b [k,m]   ->   y [n,m]
    """

    signature = "a: T, b: T -> product: T"
    T = NUMBERS
    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self, a: Spec, b: Spec) -> Spec:
        for name, x in (("a", a), ("b", b)):
            if x.rank != 2:
                raise ShapeError(f"MatMul: {name} must be a matrix, but its shape is {shape.text(x.shape)}")
        return a.with_shape(_inner("MatMul", a, b, self.transpose_a, self.transpose_b))

    def reference(self, a: Any, b: Any) -> Any:
        return product(a.T if self.transpose_a else a, b.T if self.transpose_b else b)

    def grad(self, node: Any, dy: Any) -> Any:
        a, b = node.inputs
        return _pulled(MatMul, (self.transpose_a, self.transpose_b), node, conj(a), conj(b), dy)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        # BatchMatMulV2 takes adjoints: conjugated first, they are transposes.
        flips = (self.transpose_a, self.transpose_b)
        a, b = (conj(x) if flip else x for x, flip in zip(inputs, flips, strict=True))
        return BatchMatMulV2(*flips)(a, b), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
        for flips in ((False, False), (False, True), (True, False), (True, True)):
            args = (a.T if flips[0] else a, b.T if flips[1] else b)
            yield Sample(cls(*flips), args)
            yield Sample(cls(*flips), tuple(x + 1j * x[::-1, ::-1] for x in args), order=2, name=f"complex{flips}")
        yield Sample(cls(), (np.ones((0, 3)), np.ones((3, 4))), name="no rows")
        yield Sample(cls(), (np.ones((2, 0)), np.ones((0, 4))), name="empty sum")
        for dtype in NUMBERS:
            drawn = (rng.integers(0, 4, (2, 3)).astype(dtype.numpy), rng.integers(0, 4, (3, 2)).astype(dtype.numpy))
            yield Sample(cls(), drawn, order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 3)), np.ones((2, 3))), ShapeError, "inner dimensions must be equal"
        yield lambda: cls()(np.ones((2, 3)), np.ones(3)), ShapeError, "must be a matrix"
        yield lambda: cls()(np.ones((2, 3)), interpreter.as_tensor([[1], [2], [3]])), DTypeError, "int32"


@op
class BatchMatMulV2(Op):
    """Matrix products over leading axes, which broadcast; adj_x, adj_y take a factor's conjugate transpose.

    x [...,n,k]   y [...,k,m]   ->   z [...,n,m]
    """

    signature = "x: T, y: T -> output: T"
    T = NUMBERS
    broadcasts = True
    adj_x: bool = False
    adj_y: bool = False

    def infer(self, x: Spec, y: Spec) -> Spec:
        for name, z in (("x", x), ("y", y)):
            if len(z.shape) < 2:  # type: ignore[arg-type]
                raise ShapeError(
                    f"BatchMatMulV2: {name} must have rank 2 or more, but its shape is {shape.text(z.shape)}"
                )
        matrix = _inner("BatchMatMulV2", x, y, self.adj_x, self.adj_y)
        try:
            lead = shape.broadcast(x.shape[:-2], y.shape[:-2])  # type: ignore[index]
        except ShapeError as error:
            raise ShapeError(f"BatchMatMulV2: leading axes: {error.message}") from None
        return x.with_shape((*lead, *matrix))  # type: ignore[misc]

    def reference(self, x: Any, y: Any) -> Any:
        x = np.conj(np.swapaxes(x, -1, -2)) if self.adj_x else x
        y = np.conj(np.swapaxes(y, -1, -2)) if self.adj_y else y
        return product(x, y)

    def grad(self, node: Any, dz: Any) -> Any:
        x, y = node.inputs
        return _pulled(BatchMatMulV2, (self.adj_x, self.adj_y), node, x, y, dz)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        if any(x.spec.shape is None for x in inputs):
            return NotImplemented
        rank = max(len(x.spec.shape) - (a is not None) for x, a in zip(inputs, axes, strict=True))
        return self(*[aligned(x, a, rank) for x, a in zip(inputs, axes, strict=True)]), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        x, y = rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 3, 2))
        for flips in ((False, False), (False, True), (True, False), (True, True)):
            args = (np.swapaxes(x, 1, 2) if flips[0] else x, np.swapaxes(y, 1, 2) if flips[1] else y)
            yield Sample(cls(*flips), args)
            yield Sample(cls(*flips), tuple(z + 1j * z[::-1] for z in args), order=2, name=f"complex{flips}")
        yield Sample(cls(), (rng.normal(size=(3, 1, 2, 3)), y), name="broadcast")
        yield Sample(cls(), (x, rng.normal(size=(3, 2))), name="matrix")
        yield Sample(cls(), (np.ones((0, 2, 3)), np.ones((1, 3, 2))), name="zero batch")
        yield Sample(cls(), (np.ones((2, 2, 0)), np.ones((2, 0, 2))), name="empty sum")
        for dtype in NUMBERS:
            drawn = (
                rng.integers(0, 4, (2, 2, 3)).astype(dtype.numpy),
                rng.integers(0, 4, (2, 3, 1)).astype(dtype.numpy),
            )
            yield Sample(cls(), drawn, order=1, name=dtype.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.ones((2, 2, 3)), np.ones((2, 2, 3))), ShapeError, "inner dimensions"
        yield lambda: cls()(np.ones((2, 2, 3)), np.ones((3, 3, 2))), ShapeError, "leading axes"
        yield lambda: cls()(np.ones((2, 2, 3)), np.ones(3)), ShapeError, "rank 2 or more"


def _pulled(product: type[Any], flips: tuple[bool, bool], node: Any, a: Tensor, b: Tensor, dy: Any) -> Any:
    """The cotangents of a product's factors, themselves products, where they are used. flips: which factors it turns
    round, as its two fields say."""
    match flips:
        case False, False:
            to_a, to_b = (dy, b, False, True), (a, dy, True, False)
        case False, True:
            to_a, to_b = (dy, b, False, False), (dy, a, True, False)
        case True, False:
            to_a, to_b = (b, dy, False, True), (a, dy, False, False)
        case _:
            to_a, to_b = (b, dy, True, True), (dy, a, True, True)
    pairs = zip((to_a, to_b), asked(node), strict=True)
    return tuple([product(*turned)(x, y) if used else None for (x, y, *turned), used in pairs])


@public("matmul", "linalg.matmul")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product of the last two axes; earlier axes broadcast.

    Args:
      a: Tensor [..., n, k], or a LinearOperator.
      b: Tensor [..., k, m], of a's type, or a LinearOperator. Of two operators the answer is one.
      transpose_a, transpose_b: multiply by the transpose of the last two axes.
      adjoint_a, adjoint_b: multiply by the conjugate transpose.
      a_is_sparse, b_is_sparse, grad_a, grad_b: hints about how to compute; they change no result.
      output_type: int32 for int8 factors, which are then multiplied as int32; otherwise the factors' own type.
    Returns:
      Tensor [..., n, m].
    Raises:
      ValueError: a factor is to be both transposed and adjoint.
      ShapeError: k differs, leading axes do not broadcast, or a factor has fewer than two axes.
      DTypeError: output_type is another one.
    Gradient: dy b^H and a^H dy, summed over axes that were broadcast.
    """
    if isinstance(a, structured.Structured) or isinstance(b, structured.Structured):
        return structured.product(a, b, transpose_a or transpose_b, adjoint_a, adjoint_b, name)
    if transpose_a and adjoint_a:
        raise ArgumentError("matmul: only one of transpose_a and adjoint_a can be True").locate()
    if transpose_b and adjoint_b:
        raise ArgumentError("matmul: only one of transpose_b and adjoint_b can be True").locate()
    with scope(name, "MatMul", a, b) as full:
        a, b = _factors(a, b, output_type)
        if a.spec.rank != 2 or b.spec.rank != 2:
            a, b = (conj(x) if flip else x for x, flip in ((a, transpose_a), (b, transpose_b)))
            return BatchMatMulV2(bool(transpose_a or adjoint_a), bool(transpose_b or adjoint_b))(a, b, name=full)
        a, b = (conj(x) if flip else x for x, flip in ((a, adjoint_a), (b, adjoint_b)))
        return MatMul(bool(transpose_a or adjoint_a), bool(transpose_b or adjoint_b))(a, b, name=full)


def _factors(a: Any, b: Any, output_type: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of one type: what is no tensor takes the other's type."""
    if _typed(b) and not _typed(a):
        b = interpreter.as_tensor(b)
        a = interpreter.as_tensor(a, b.dtype, name="a")
    else:
        a = interpreter.as_tensor(a, name="a")
        b = interpreter.as_tensor(b, None if _typed(b) else a.dtype, name="b")
    wanted = a.dtype if output_type is None else as_dtype(output_type)
    if wanted is not a.dtype:
        if not (a.dtype.name in ("int8", "uint8") and b.dtype.name in ("int8", "uint8") and wanted.name == "int32"):
            raise DTypeError(
                f"matmul: output_type {wanted.name} is not to be had from {a.dtype.name} and {b.dtype.name}; "
                f"only 8-bit integers have another, int32. Use tf.cast"
            ).locate()
        from pullback.ops.math.select import Cast

        a, b = Cast(wanted)(a), Cast(wanted)(b)
    return a, b


def _typed(x: Any) -> bool:
    """Whether x has a type of its own: a tensor, or a variable."""
    return isinstance(x, Tensor) or hasattr(type(x), "__pullback_tensor__")


@public("linalg.matvec")
def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Matrix times vector over the last axes; earlier axes broadcast.

    Args:
      a: Tensor [..., n, k].
      b: Tensor [..., k], of a's type.
      transpose_a, adjoint_a: multiply by a's transpose, or its conjugate transpose.
      a_is_sparse, b_is_sparse: hints about how to compute; they change no result.
    Returns:
      Tensor [..., n].
    Raises:
      ValueError: both flags. ShapeError: the shapes do not fit.
    """
    with scope(name, "MatVec", a, b):
        a, b = _factors(a, b, None)
        column = ExpandDims()(b, -1)
        y = matmul(
            a, column, transpose_a=transpose_a, adjoint_a=adjoint_a, a_is_sparse=a_is_sparse, b_is_sparse=b_is_sparse
        )
        return Squeeze((-1,))(y)


@public("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Sum of products over chosen axes: those of a that are left, then those of b.

    Args:
      a, b: Tensors of one type.
      axes: a number n: the last n of a with the first n of b. Two lists: a's axes and b's, in pairs.
    Returns:
      Tensor [a's other axes, b's other axes].
    Raises:
      ArgumentError: axes are not such, or not known when the graph is built.
      ShapeError: paired axes differ in size.
    """
    with scope(name, "Tensordot", a, b) as full:
        a, b = _factors(a, b, None)
        if a.spec.shape is None or b.spec.shape is None:
            raise ArgumentError("tensordot: the ranks of both factors must be known; use tf.ensure_shape").locate()
        summed_a, summed_b = _pairs(axes, a.spec, b.spec)
        kept_a = [i for i in range(len(a.spec.shape)) if i not in summed_a]
        kept_b = [i for i in range(len(b.spec.shape)) if i not in summed_b]
        for i, j in zip(summed_a, summed_b, strict=True):
            if not shape.compatible((a.spec.shape[i],), (b.spec.shape[j],)):
                raise ShapeError(
                    f"tensordot: axis {i} of a {shape.text(a.spec.shape)} and axis {j} of b {shape.text(b.spec.shape)} "
                    "are summed together, so they must have one size"
                ).locate()
        rows, columns = _sizes(a, kept_a), _sizes(b, kept_b)
        depth = _product(_sizes(a, summed_a))
        left = _shaped(_permuted(a, kept_a + summed_a), (_product(rows), depth))
        right = _shaped(_permuted(b, summed_b + kept_b), (depth, _product(columns)))
        return _shaped(MatMul()(left, right), (*rows, *columns), name=full)


def _pairs(axes: Any, a: Spec, b: Spec) -> tuple[list[int], list[int]]:
    """The axes of a and those of b that are summed together, counted from the front."""
    known = _known(axes)
    rank_a, rank_b = len(a.shape), len(b.shape)  # type: ignore[arg-type]
    if isinstance(known, int):
        if not 0 <= known <= min(rank_a, rank_b):
            raise ArgumentError(f"tensordot: axes is {known}, but must lie in [0, {min(rank_a, rank_b)}]").locate()
        return list(range(rank_a - known, rank_a)), list(range(known))
    if len(known) != 2:
        raise ArgumentError(f"tensordot: axes must be a number or two lists, not {axes!r}").locate()
    first, second = ([x] if isinstance(x, int) else list(x) for x in known)
    if len(first) != len(second):
        raise ArgumentError(
            f"tensordot: {len(first)} axes of a are paired with {len(second)} of b; use as many"
        ).locate()
    for chosen, rank, which in ((first, rank_a, "a"), (second, rank_b, "b")):
        if any(not -rank <= i < rank for i in chosen):
            raise ArgumentError(f"tensordot: axes {chosen} are not all axes of {which}, which has rank {rank}").locate()
        if len({i % rank for i in chosen}) < len(chosen):
            raise ArgumentError(f"tensordot: axes {chosen} name an axis of {which} twice").locate()
    return [i % rank_a for i in first], [i % rank_b for i in second]


def _known(axes: Any) -> Any:
    """Axes as ints in lists."""
    if isinstance(axes, EagerTensor):
        axes = axes.value
    if isinstance(axes, Tensor):
        axes = axes.spec.value
        if axes is None:
            raise ArgumentError("tensordot: axes must be known when the graph is built; give numbers").locate()
    if isinstance(axes, np.ndarray):
        axes = axes.tolist()
    if isinstance(axes, (list, tuple)):
        return [_known(x) for x in axes]
    try:
        return operator.index(axes)
    except TypeError:
        raise ArgumentError(f"tensordot: axes must be whole numbers, not {axes!r}").locate() from None


def _sizes(x: Tensor, axes: Sequence[int]) -> list[Any]:
    """Sizes of these axes: ints, where unknown scalar tensors."""
    known: Any = x.spec.shape
    whole: Any = None if all(known[i] is not None for i in axes) else Shape_()(x)
    return [known[i] if known[i] is not None else whole[i] for i in axes]


def _product(sizes: Sequence[Any]) -> Any:
    total: Any = 1
    for n in sizes:
        total = n * total if isinstance(n, Tensor) else total * n
    return total


def _permuted(x: Tensor, order: list[int]) -> Tensor:
    return x if order == sorted(order) else Transpose()(x, tuple(order), name="transpose")


def _shaped(x: Tensor, sizes: tuple[Any, ...], name: str | None = None) -> Tensor:
    return x if x.spec.known and x.spec.shape == sizes else Reshape()(x, sizes, name=name)


__all__ = ["BatchMatMulV2", "MatMul", "matmul", "matvec", "tensordot"]
