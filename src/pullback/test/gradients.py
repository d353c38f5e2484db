"""Derivatives by rule against derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.gradients import gradients
from pullback.modes.session import default_session, placeholder
from pullback.modes.tape import GradientTape
from pullback.ops.math.functions import multiply


@public(v1="test.compute_gradient")
def compute_gradient_v1(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """The Jacobian of y by x, by the chain rule and by central differences, in the default session.

    Args:
      x: a tensor or variable, or a list of these; x_shape its shape, or a list of shapes; likewise x_init_value, where
        to differentiate (random in [0, 1) by default).
      y, y_shape: the result and its shape.
      delta: how far each element of x is moved, both ways.
      init_targets: operations to run first. extra_feed_dict: what else is fed.
    Returns:
      (theoretical, numeric), both [elements of x, elements of y]; of a list of x a list of such pairs. A complex
      element counts as two, its real and imaginary part.
    """
    session = default_session("compute_gradient")
    for target in init_targets if isinstance(init_targets, (list, tuple)) else [init_targets] if init_targets else []:
        session.run(target)
    several = isinstance(x, (list, tuple))
    xs, shapes = (list(x), list(x_shape)) if several else ([x], [x_shape])
    starts = (list(x_init_value) if several else [x_init_value]) if x_init_value is not None else [None] * len(xs)
    if not len(xs) == len(shapes) == len(starts):
        raise ArgumentError(
            f"compute_gradient: {len(xs)} x, {len(shapes)} x_shape and {len(starts)} x_init_value; give one each"
        )
    tensors = [v if isinstance(v, Tensor) else interpreter.as_tensor(v) for v in xs]
    points = [_point(t, s, start) for t, s, start in zip(tensors, shapes, starts, strict=True)]
    fed = {**(extra_feed_dict or {}), **{t.ref(): p for t, p in zip(tensors, points, strict=True)}}
    found = []
    for tensor, point in zip(tensors, points, strict=True):

        def at(value: Any, tensor: Any = tensor) -> Any:
            return session.run(y, {**fed, tensor.ref(): value})

        found.append((_theoretical(session, tensor, point, y, y_shape, fed), _numeric(at, point, delta).T))
    return found if several else found[0]


def _point(tensor: Any, shape: Any, start: Any) -> Any:
    dtype = tensor.dtype.base_dtype.as_numpy_dtype
    value = np.random.random_sample(tuple(shape)) if start is None else np.asarray(start)
    return value.astype(dtype).reshape(tuple(shape))


def _parts(dtype: Any) -> tuple[complex, ...]:
    """The directions an element moves in: itself, of a complex one also i times itself."""
    return (1.0, 1.0j) if np.dtype(dtype).kind == "c" else (1.0,)


def _reals(array: Any) -> Any:
    """An array's elements in a row, a complex one as two."""
    flat: Any = np.ascontiguousarray(array).ravel()
    return np.stack([flat.real, flat.imag], 1).ravel() if flat.dtype.kind == "c" else flat


def _theoretical(session: Any, x: Any, point: Any, y: Any, y_shape: Any, fed: Any) -> Any:
    seed = placeholder(y.dtype, tuple(y_shape), "dy")
    (dx,) = gradients(y, x, seed)
    size = int(np.prod(tuple(y_shape)))
    directions = _parts(y.dtype.as_numpy_dtype)
    rows = len(_reals(point))
    out = np.zeros((rows, size * len(directions)), _reals(point).dtype)
    if dx is None:
        return out
    for k in range(size):
        for i, direction in enumerate(directions):
            dy = np.zeros(size, y.dtype.as_numpy_dtype)
            dy[k] = direction
            got = session.run(dx, {**fed, seed.ref(): dy.reshape(tuple(y_shape))})
            out[:, k * len(directions) + i] = _reals(_dense(got, point))
    return out


def _dense(gradient: Any, point: Any) -> Any:
    """A gradient as an array; rows of an IndexedSlices added up."""
    if not hasattr(gradient, "indices"):
        return gradient
    whole = np.zeros_like(point)
    np.add.at(whole, gradient.indices, gradient.values)
    return whole


def _numeric(f: Callable[[Any], Any], point: Any, delta: float) -> Any:
    """Central differences [elements of y, elements of x]."""
    columns = []
    flat = point.ravel()
    for k in range(flat.size):
        for direction in _parts(point.dtype):
            step = np.zeros_like(flat)
            step[k] = delta * direction
            step = step.reshape(point.shape)
            columns.append((_reals(f(point + step)) - _reals(f(point - step))) / (2 * delta))
    return np.stack(columns, 1) if columns else np.zeros((_reals(f(point)).size, 0), point.dtype)


@public(v1="test.compute_gradient_error")
def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Any,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """The largest difference between the two Jacobians of `compute_gradient`; 0 of empty ones."""
    found = compute_gradient_v1(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    return _largest(found if isinstance(found, list) else [found])


def _largest(pairs: Any) -> float:
    return float(max((np.max(np.abs(a - b), initial=0) for a, b in pairs), default=0.0))


@public("test.compute_gradient", v1=None)
def compute_gradient(f: Callable[..., Any], x: Any, delta: float | None = None) -> Any:
    """Jacobians of f, by the tape and by central differences.

    Args:
      f: a function of as many tensors as x has; gives a tensor.
      x: list of tensors or what becomes tensors.
      delta: how far each element is moved, both ways; 1/1024 by default.
    Returns:
      (theoretical, numerical): for each of x a matrix [elements of y, elements of x]. A complex element counts as two.
    Raises:
      ValueError: x is no list.
    """
    if not isinstance(x, (list, tuple)):
        raise ArgumentError(f"compute_gradient: x must be a list of tensors, not {type(x).__name__}")
    tensors = [interpreter.as_tensor(v) for v in x]
    points = [t.numpy() for t in tensors]
    theoretical = _by_tape(f, tensors)
    numerical = []
    for i, point in enumerate(points):

        def at(value: Any, i: int = i) -> Any:
            return f(*[value if j == i else t for j, t in enumerate(tensors)]).numpy()

        numerical.append(_numeric(at, np.asarray(point), delta or 1.0 / 1024))
    return theoretical, numerical


def _by_tape(f: Callable[..., Any], tensors: list[Any]) -> list[Any]:
    with GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        y = f(*tensors)
    dtype = y.dtype.as_numpy_dtype
    rows: list[list[Any]] = [[] for _ in tensors]
    for k in range(int(np.prod(y.shape.as_list()))):
        for direction in _parts(dtype):
            seed = np.zeros(int(np.prod(y.shape.as_list())), dtype)
            seed[k] = direction
            dy = multiply(seed.reshape(y.shape.as_list()), np.ones((), dtype))
            for row, t, dx in zip(rows, tensors, tape.gradient(y, tensors, dy), strict=True):
                row.append(
                    np.zeros_like(_reals(t.numpy())) if dx is None else _reals(interpreter.as_tensor(dx).numpy())
                )
    return [
        np.stack(row) if row else np.zeros((0, _reals(t.numpy()).size)) for row, t in zip(rows, tensors, strict=True)
    ]
