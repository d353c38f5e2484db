"""Functions inside TensorFlow that programs call though they have no public name: of cells, derivatives, shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pullback.v1 as tf
from pullback.core.graph import ancestors
from pullback.modes.gradients import handle_of
from pullback.modes.tape import GradientTape, jacobian_of

FileIO = tf.gfile.GFile


def linear(
    args: Any, output_size: int, bias: bool, bias_initializer: Any = None, kernel_initializer: Any = None
) -> Any:
    """[args, side by side] kernel + bias, variables `kernel` and `bias` of the scope around.

    Args:
      args: [B,C], or a list of such. output_size: columns of kernel. bias: add one, 0 by default.
    Raises:
      ValueError: there are no args, or one is no matrix of known width.
    """
    if args is None or (isinstance(args, (list, tuple)) and not args):
        raise ValueError("`args` must be specified")
    xs = [tf.convert_to_tensor(x) for x in (args if isinstance(args, (list, tuple)) else [args])]
    widths: list[Any] = [x.shape.as_list()[1] if x.shape.ndims == 2 else None for x in xs]
    if None in widths:
        raise ValueError(f"linear is expecting 2D arguments of known width: {[x.shape for x in xs]}")
    joined = xs[0] if len(xs) == 1 else tf.concat(xs, 1)
    kernel = tf.get_variable("kernel", [sum(widths), output_size], joined.dtype, kernel_initializer)
    y = tf.matmul(joined, kernel)
    if not bias:
        return y
    start = tf.zeros_initializer() if bias_initializer is None else bias_initializer
    return tf.nn.bias_add(y, tf.get_variable("bias", [output_size], joined.dtype, start))


def transpose_batch_time(x: Any) -> Any:
    """[B,T,...] as [T,B,...]; what has fewer than two axes stays."""
    t = tf.convert_to_tensor(x)
    rank = t.shape.ndims
    if rank is not None and rank < 2:
        return t
    order = [1, 0, *range(2, rank)] if rank is not None else tf.concat([[1, 0], tf.range(2, tf.rank(t))], 0)
    return tf.transpose(t, order)


def jacobian(output: Any, inputs: Any, use_pfor: bool = True, parallel_iterations: Any = None) -> Any:
    """The derivatives of each entry of output by each of inputs: a tensor output.shape + input.shape for each input,
    in their structure. use_pfor, parallel_iterations: choose speed in TensorFlow; have no meaning."""
    return tf.nest.map_structure(lambda x: jacobian_of(output, x), inputs)


def batch_jacobian(output: Any, inp: Any, use_pfor: bool = True, parallel_iterations: Any = None) -> Any:
    """For each entry of the leading axis the derivatives of output[b] by inp[b]: [B, output.shape[1:], inp.shape[1:]].
    use_pfor, parallel_iterations: choose speed in TensorFlow; have no meaning.

    Raises:
      ValueError: the leading axes differ, or a shape is not known.
    """
    tape = GradientTape(persistent=True)
    tape._nodes = list(ancestors([output]))
    tape._watched = {id(handle_of(inp))}
    return tape.batch_jacobian(output, inp)


def hessian_vector_product(ys: Any, xs: Any, v: Any) -> list[Any]:
    """For each x, the second derivatives of the sum of ys times v.

    Raises:
      ValueError: xs and v are not as many.
    """
    if len(xs) != len(v):
        raise ValueError("xs and v must have the same length.")
    first = tf.gradients(ys, xs)
    products = [tf.multiply(dx, tf.stop_gradient(w)) for dx, w in zip(first, v, strict=True) if dx is not None]
    return tf.gradients(products, xs)


class Defun:
    """Decorator: a function of tensors of these types, traced once.

    Args:
      input_types: dtypes of the arguments, checked at each call.
      func_name: its name. python_grad_func: its gradient, f(op, *dys) -> dxs, where op.inputs and op.outputs are those
        of the call. grad_func: its gradient, f(*xs, *dys) -> dxs. At most one of them; the function's own by default.
      shape_func: f(op) -> shapes of the outputs, or None where one is not known.
      kwargs: noinline and others say how to compute, and have no meaning.
    Raises:
      TypeError: an argument is of another type, or there are too many or few.
      ValueError: two gradients are given.
    """

    def __init__(
        self,
        *input_types: Any,
        func_name: str | None = None,
        grad_func: Callable[..., Any] | None = None,
        python_grad_func: Callable[..., Any] | None = None,
        shape_func: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if grad_func is not None and python_grad_func is not None:
            raise ValueError("Gradient defined twice: give grad_func or python_grad_func, not both")
        self._types, self._name = [tf.as_dtype(t) for t in input_types], func_name
        self._grad, self._python_grad, self._shapes = grad_func, python_grad_func, shape_func

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        traced = tf.function(func, autograph=False)
        own = self._grad is None and self._python_grad is None
        made = traced if own else self._with_gradient(traced)

        def call(*args: Any) -> Any:
            if self._types and len(args) != len(self._types):
                raise TypeError(f"{func.__name__} takes {len(self._types)} arguments, but was given {len(args)}")
            types = self._types or [None] * len(args)
            xs = [tf.convert_to_tensor(a, t) for a, t in zip(args, types, strict=True)]
            return self._shaped(xs, made(*xs))

        call.__name__ = self._name or func.__name__
        call.__doc__ = func.__doc__
        return call

    def _with_gradient(self, traced: Callable[..., Any]) -> Callable[..., Any]:
        """The traced function with the gradient that is given."""

        @tf.custom_gradient
        def made(*xs: Any) -> Any:
            ys = traced(*xs)

            def gradient(*dys: Any) -> Any:
                if self._python_grad is not None:
                    return self._python_grad(Call(xs, tf.nest.flatten(ys)), *dys)
                return self._grad(*xs, *dys)  # type: ignore[misc]

            return ys, gradient

        return made

    def _shaped(self, xs: list[Any], result: Any) -> Any:
        """The result, told its shapes."""
        ys = tf.nest.flatten(result)
        for y, shape in zip(ys, self._shapes(Call(xs, ys)) if self._shapes else (), strict=False):
            if shape is not None:
                y.set_shape(shape)
        return result


class Call(NamedTuple):
    """A call of a Defun, as its gradient and its shapes are told of it."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]
