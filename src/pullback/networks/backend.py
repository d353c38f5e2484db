"""keras.backend: TensorFlow's functions under Keras' names."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.basics import Shape_
from pullback.core.dtypes import as_dtype
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import activations, phase
from pullback.layers.dropout import either
from pullback.modes.variable import Variable
from pullback.ops.array import joining, layout, padding
from pullback.ops.array import shape as shapes
from pullback.ops.array.embedding import embedding_lookup
from pullback.ops.array.one_hot import one_hot as tf_one_hot
from pullback.ops.linalg.matmul import matmul, tensordot
from pullback.ops.math import arithmetic as m
from pullback.ops.math import functions as f
from pullback.ops.math import reduce_functions as r
from pullback.ops.math.clipping import clip_by_value
from pullback.ops.math.select import Cast, Select
from pullback.ops.nn.normalization import l2_normalize as tf_l2_normalize
from pullback.ops.random.dropout import dropout as tf_dropout
from pullback.train import losses

_reshape = shapes.reshape


def _named(name: str) -> Any:
    return public(f"keras.backend.{name}")


def _reduction(name: str, reduce: Any, doc: str) -> Any:
    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reduce(x, axis, keepdims)

    return _made(name, reduced, doc)


def _plain(name: str, function: Any, doc: str) -> Any:
    def of(x: Any) -> Tensor:
        return function(interpreter.as_tensor(x))

    return _made(name, of, doc)


def _pair(name: str, op: Any, doc: str) -> Any:
    def of(x: Any, y: Any) -> Tensor:
        return op()(x, y)

    return _made(name, of, doc)


def _made(name: str, function: Any, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return _named(name)(function)


sum = _reduction("sum", r.reduce_sum, "The sum over axes.")
prod = _reduction("prod", r.reduce_prod, "The product over axes.")
max = _reduction("max", r.reduce_max, "The largest over axes.")
min = _reduction("min", r.reduce_min, "The smallest over axes.")
mean = _reduction("mean", r.reduce_mean, "The mean over axes.")
std = _reduction("std", r.reduce_std, "The standard deviation over axes.")
var = _reduction("var", r.reduce_variance, "The variance over axes.")
any = _reduction("any", r.reduce_any, "Whether any over axes is true.")
all = _reduction("all", r.reduce_all, "Whether all over axes are true.")
logsumexp = _reduction("logsumexp", r.reduce_logsumexp, "log(sum(exp(x))) over axes.")
square = _plain("square", m.Square(), "x^2")
abs = _plain("abs", f.abs_, "|x|")
exp = _plain("exp", f.exp, "exp(x)")
log = _plain("log", f.log, "log(x)")
round = _plain("round", f.round_, "The nearest integer, halves to even.")
sign = _plain("sign", f.sign, "-1, 0 or 1.")
cos = _plain("cos", f.cos, "cos(x)")
sin = _plain("sin", f.sin, "sin(x)")
transpose = _plain("transpose", layout.transpose, "Axes in reverse order.")
equal = _pair("equal", m.Equal, "x == y, entry by entry.")
not_equal = _pair("not_equal", m.NotEqual, "x != y, entry by entry.")
greater = _pair("greater", m.Greater, "x > y, entry by entry.")
greater_equal = _pair("greater_equal", m.GreaterEqual, "x >= y, entry by entry.")
less = _pair("less", m.Less, "x < y, entry by entry.")
less_equal = _pair("less_equal", m.LessEqual, "x <= y, entry by entry.")
maximum = _pair("maximum", m.Maximum, "The larger, entry by entry.")
minimum = _pair("minimum", m.Minimum, "The smaller, entry by entry.")


@_named("sqrt")
def sqrt(x: Any) -> Tensor:
    """The root of x, of 0 where x is below 0."""
    return m.Sqrt()(m.Maximum()(interpreter.as_tensor(x), 0.0))


@_named("pow")
def pow(x: Any, a: Any) -> Tensor:
    """x to the power a, entry by entry."""
    return interpreter.as_tensor(x) ** a


@_named("clip")
def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """x held between min_value and max_value; None is no limit."""
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else max_value
    return clip_by_value(x, low, high)


@_named("shape")
def shape(x: Any) -> Tensor:
    """The sizes of x's axes, int32."""
    return Shape_()(interpreter.as_tensor(x))


@_named("int_shape")
def int_shape(x: Any) -> Any:
    """The sizes of x's axes as a tuple, None where not known."""
    return x.spec.shape


@_named("ndim")
def ndim(x: Any) -> int | None:
    """How many axes x has."""
    return x.spec.rank


@_named("dtype")
def dtype(x: Any) -> str:
    """The type's name."""
    return x.dtype.name


@_named("reshape")
def reshape(x: Any, shape: Any) -> Tensor:
    """x's entries in another shape."""
    return _reshape(x, shape)


@_named("permute_dimensions")
def permute_dimensions(x: Any, pattern: Any) -> Tensor:
    """x's axes in another order."""
    return layout.transpose(x, pattern)


@_named("flatten")
def flatten(x: Any) -> Tensor:
    """x as a vector."""
    return _reshape(x, [-1])


@_named("batch_flatten")
def batch_flatten(x: Any) -> Tensor:
    """x as a matrix, a row an example."""
    x = interpreter.as_tensor(x)
    rest = (x.spec.shape or (None, None))[1:]
    width = int(np.prod(rest)) if None not in rest else -1  # type: ignore[arg-type]
    return _reshape(x, [-1, width] if width >= 0 else joining.stack([Shape_()(x)[0], -1]))


@_named("expand_dims")
def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """x with an axis of size 1 more."""
    return shapes.expand_dims(x, axis)


@_named("squeeze")
def squeeze(x: Any, axis: int) -> Tensor:
    """x without an axis of size 1."""
    return shapes.squeeze(x, [axis])


@_named("concatenate")
def concatenate(tensors: Any, axis: int = -1) -> Tensor:
    """Tensors end to end along an axis."""
    return joining.concat(list(tensors), axis)


@_named("stack")
def stack(x: Any, axis: int = 0) -> Tensor:
    """Tensors side by side along a new axis."""
    return joining.stack(list(x), axis)


@_named("tile")
def tile(x: Any, n: Any) -> Tensor:
    """x repeated n times along each axis."""
    return padding.tile(x, [n] if isinstance(n, int) else n)


@_named("repeat_elements")
def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Each entry rep times along an axis."""
    return padding.repeat(x, rep, axis)


@_named("repeat")
def repeat(x: Any, n: int) -> Tensor:
    """[B, C] -> [B, n, C]"""
    return padding.tile(shapes.expand_dims(x, 1), [1, n, 1])


@_named("reverse")
def reverse(x: Any, axes: Any) -> Tensor:
    """x backwards along axes."""
    return layout.reverse(x, [axes] if isinstance(axes, int) else axes)


@_named("gather")
def gather(reference: Any, indices: Any) -> Tensor:
    """The rows of reference that indices name."""
    return embedding_lookup(reference, indices)


@_named("dot")
def dot(x: Any, y: Any) -> Tensor:
    """x's last axis with y's last but one."""
    x, y = interpreter.as_tensor(x), interpreter.as_tensor(y)
    if x.spec.rank == 2 and y.spec.rank == 2:
        return matmul(x, y)
    return tensordot(x, y, [[(x.spec.rank or 1) - 1], [(y.spec.rank or 2) - 2 if (y.spec.rank or 2) > 1 else 0]])


@_named("batch_dot")
def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Sums of products example by example; axes counted with the batch, by default x's last with y's last but one."""
    from pullback.layers.merging import Dot

    x, y = interpreter.as_tensor(x), interpreter.as_tensor(y)
    chosen = axes if axes is not None else [(x.spec.rank or 2) - 1, 1 if y.spec.rank == 2 else (y.spec.rank or 3) - 2]
    return Dot(chosen)([x, y])


@_named("argmax")
def argmax(x: Any, axis: int = -1) -> Tensor:
    """Where the largest entry along an axis is."""
    from pullback.ops.array.search import argmax as tf_argmax

    return tf_argmax(x, axis)


@_named("argmin")
def argmin(x: Any, axis: int = -1) -> Tensor:
    """Where the smallest entry along an axis is."""
    from pullback.ops.array.search import argmin as tf_argmin

    return tf_argmin(x, axis)


@_named("cast")
def cast(x: Any, dtype: Any) -> Tensor:
    """x in another type."""
    x = interpreter.as_tensor(x)
    return x if x.dtype is as_dtype(dtype) else Cast(as_dtype(dtype))(x)


@_named("cast_to_floatx")
def cast_to_floatx(x: Any) -> Any:
    """x in the type of floats: an array stays one."""
    if isinstance(x, Tensor | Variable):
        return cast(x, phase.floatx())
    return np.asarray(x, as_dtype(phase.floatx()).numpy)


@_named("one_hot")
def one_hot(indices: Any, num_classes: int) -> Tensor:
    """[...] -> [..., num_classes]: 1 where the class is, 0 elsewhere."""
    return tf_one_hot(indices, num_classes)


@_named("switch")
def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """then_expression where condition holds, else else_expression; tensors, or functions that give them."""
    condition = interpreter.as_tensor(condition)
    if condition.spec.rank == 0:
        return either(condition, lambda: _value(then_expression), lambda: _value(else_expression))
    a, b = _value(then_expression), _value(else_expression)
    while (condition.spec.rank or 0) < (a.spec.rank or 0):
        condition = shapes.expand_dims(condition, -1)
    return Select()(condition, a, b)


def _value(x: Any) -> Any:
    return x() if callable(x) else interpreter.as_tensor(x)


@_named("in_train_phase")
def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """x while training, else alt; tensors, or functions that give them."""
    flag = phase.learning_phase() if training is None else training
    return either(flag, lambda: _value(x), lambda: _value(alt))


@_named("in_test_phase")
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """alt while training, else x."""
    return in_train_phase(alt, x, training)


# --- networks -----------------------------------------------------------------------------------------------------


@_named("relu")
def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """See keras.activations.relu."""
    return activations.relu(x, alpha, max_value, threshold)


@_named("softmax")
def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) divided by its sum along an axis."""
    return activations.nn_softmax(x, axis)


@_named("elu")
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x above 0, else alpha (exp(x) - 1)."""
    return activations.elu(x, alpha)


sigmoid = _plain("sigmoid", activations.sigmoid, "1 / (1 + exp(-x))")
tanh = _plain("tanh", activations.tanh, "The hyperbolic tangent.")
hard_sigmoid = _plain("hard_sigmoid", activations.hard_sigmoid, "0.2 x + 0.5 between 0 and 1.")
softplus = _plain("softplus", activations.softplus, "log(1 + exp(x))")
softsign = _plain("softsign", activations.softsign, "x / (1 + |x|)")


@_named("dropout")
def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Entries set to 0 with probability level, the rest scaled."""
    return tf_dropout(x, level, noise_shape, seed)


@_named("l2_normalize")
def l2_normalize(x: Any, axis: Any = None) -> Tensor:
    """x divided by its length along an axis."""
    return tf_l2_normalize(x, axis)


@_named("categorical_crossentropy")
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Cross-entropy of classes given as rows of probabilities."""
    return losses.categorical_crossentropy(target, output, from_logits, 0.0, axis)


@_named("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """Cross-entropy of classes given as integers."""
    return losses.sparse_categorical_crossentropy(target, output, from_logits, ignore_class, axis)


@_named("binary_crossentropy")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Cross-entropy of each entry."""
    target, output = interpreter.as_tensor(target), interpreter.as_tensor(output)
    if from_logits:
        from pullback.ops.nn.losses import sigmoid_cross_entropy_with_logits

        return sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    p = clip_by_value(output, phase.epsilon(), 1 - phase.epsilon())
    return -(target * f.log(p) + (1 - target) * f.log(1 - p))
