"""Functions inside TensorFlow that programs call though they have no public name: of cells, derivatives, shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
      kwargs: func_name: its name. grad_func, python_grad_func: must be left out: write a `tf.custom_gradient`. noinline
        and others say how to compute, and have no meaning.
    Raises:
      TypeError: an argument is of another type, or there are too many or few.
    """

    def __init__(self, *input_types: Any, **kwargs: Any) -> None:
        wanted = [k for k in ("grad_func", "python_grad_func", "shape_func") if kwargs.get(k) is not None]
        if wanted:
            raise TypeError(f"Defun: {wanted[0]} is not there; decorate the function with tf.custom_gradient")
        self._types, self._name = [tf.as_dtype(t) for t in input_types], kwargs.get("func_name")

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        made = tf.function(func, autograph=False)

        def call(*args: Any) -> Any:
            if self._types and len(args) != len(self._types):
                raise TypeError(f"{func.__name__} takes {len(self._types)} arguments, but was given {len(args)}")
            types = self._types or [None] * len(args)
            given = [tf.convert_to_tensor(a, t) for a, t in zip(args, types, strict=True)]
            return made(*given)

        call.__name__ = self._name or func.__name__
        call.__doc__ = func.__doc__
        return call
