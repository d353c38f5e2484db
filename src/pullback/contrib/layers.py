"""`tf.contrib.layers` and `slim`: fully connected layers, dropout, shapes, and layers put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.contrib.regularizers import xavier_initializer
from pullback.contrib.variables import model_variable, noted
from pullback.layers.sizes import sizes_of

_BOTH = "layers slim"


def kept_in(collections: Any, name: str) -> Any:
    """The collections of one variable, where `variables_collections` is {name: collections} or one for all."""
    return collections.get(name) if isinstance(collections, dict) else collections


def finished(
    outputs: Any, activation_fn: Any, normalizer_fn: Any, normalizer_params: Any, outputs_collections: Any
) -> Any:
    """A layer's end: normalised, activated, noted."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return noted(outputs, outputs_collections)


@contrib(_BOTH, "fully_connected")
@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = xavier_initializer(),
    weights_regularizer: Any = None,
    biases_initializer: Any = tf.zeros_initializer(),
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """activation(x w + b) over the last axis. x [..., n] -> [..., num_outputs]

    Variables: `weights` [n, num_outputs], `biases` [num_outputs] (not with normalizer_fn).

    Raises:
      ValueError: num_outputs is no integer, or the last axis is not known.
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be one of (int, long), got {type(num_outputs)}.")
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        size = tf.dimension_value(inputs.shape[-1])
        if size is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        dtype = inputs.dtype.base_dtype
        weights = model_variable(
            "weights",
            [size, num_outputs],
            dtype,
            weights_initializer,
            weights_regularizer,
            trainable,
            kept_in(variables_collections, "weights"),
        )
        flat = inputs if inputs.shape.ndims == 2 else tf.reshape(inputs, [-1, size])
        outputs = tf.matmul(flat, weights)
        if normalizer_fn is None and biases_initializer is not None:
            biases = model_variable(
                "biases",
                [num_outputs],
                dtype,
                biases_initializer,
                biases_regularizer,
                trainable,
                kept_in(variables_collections, "biases"),
            )
            outputs = tf.nn.bias_add(outputs, biases)
        if inputs.shape.ndims != 2:
            outputs = tf.reshape(outputs, tf.concat([tf.shape(inputs)[:-1], [num_outputs]], 0))
            outputs.set_shape([*inputs.shape.as_list()[:-1], num_outputs])
        return finished(outputs, activation_fn, normalizer_fn, normalizer_params, outputs_collections)


@contrib(_BOTH, "linear")
@add_arg_scope
def linear(inputs: Any, num_outputs: int, activation_fn: Any = None, **settings: Any) -> Any:
    """`fully_connected` without an activation."""
    return fully_connected(inputs, num_outputs, activation_fn, **settings)


@contrib(_BOTH, "relu")
@add_arg_scope
def relu(inputs: Any, num_outputs: int, activation_fn: Any = tf.nn.relu, **settings: Any) -> Any:
    """`fully_connected` with relu."""
    return fully_connected(inputs, num_outputs, activation_fn, **settings)


@contrib(_BOTH, "dropout")
@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: Any = None,
) -> Any:
    """Keeps each element with probability keep_prob and divides it by that, in training; else the inputs.

    Args:
      is_training: a bool or a scalar bool tensor.
    """
    with tf.variable_scope(scope, "Dropout", [inputs]):
        inputs = tf.convert_to_tensor(inputs)

        def dropped() -> Any:
            return tf.nn.dropout(inputs, keep_prob=keep_prob, noise_shape=noise_shape, seed=seed)

        return noted(chosen(is_training, dropped, lambda: tf.identity(inputs)), outputs_collections)


def chosen(flag: Any, when_true: Callable[[], Any], when_false: Callable[[], Any]) -> Any:
    """One of two, decided now by a Python bool, at run time by a tensor."""
    known = flag if isinstance(flag, (bool, int)) else tf.get_static_value(flag)
    if known is not None:
        return when_true() if known else when_false()
    return tf.cond(flag, when_true, when_false)


@contrib(_BOTH, "flatten")
@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """Each example as a vector. [N, ...] -> [N, k]

    Raises:
      ValueError: the inputs have no axis.
    """
    with tf.name_scope(scope, "Flatten", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        if inputs.shape.ndims is None or inputs.shape.ndims < 1:
            raise ValueError("Rank of inputs must be known and at least 1.")
        sizes = inputs.shape.as_list()
        if None not in sizes[1:]:
            k = 1
            for size in sizes[1:]:
                k *= size
            outputs = tf.reshape(inputs, [-1 if sizes[0] is None else sizes[0], k])
        else:
            outputs = tf.reshape(inputs, tf.stack([tf.shape(inputs)[0], -1]))
        return noted(outputs, outputs_collections)


@contrib(_BOTH, "bias_add")
@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Any = None,
    initializer: Any = tf.zeros_initializer(),
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """x + b, with a variable `biases` [C] over the channels."""
    with tf.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse):
        inputs = tf.convert_to_tensor(inputs)
        size = inputs.shape.as_list()[1 if data_format.startswith("NC") else -1]
        kept = kept_in(variables_collections, "biases")
        biases = model_variable("biases", [size], inputs.dtype.base_dtype, initializer, regularizer, trainable, kept)
        outputs = tf.nn.bias_add(inputs, biases, data_format=data_format)
        return finished(outputs, activation_fn, None, None, outputs_collections)


@contrib(_BOTH, "one_hot_encoding")
@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: Any = 1.0,
    off_value: Any = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Labels [N] as rows [N, num_classes] with one on_value each."""
    with tf.name_scope(scope, "OneHotEncoding", [labels, num_classes]):
        labels = tf.convert_to_tensor(labels)
        if labels.dtype == tf.int32:
            labels = tf.cast(labels, tf.int64)
        return noted(tf.one_hot(labels, num_classes, on_value, off_value), outputs_collections)


@contrib(_BOTH, "softmax")
@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """Softmax over the last axis, of any rank."""
    with tf.name_scope(scope, "softmax", [logits]):
        return tf.nn.softmax(logits)


@contrib(_BOTH, "unit_norm")
@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Divided by the length along an axis."""
    with tf.name_scope(scope, "UnitNorm", [inputs]):
        return inputs / tf.sqrt(tf.reduce_sum(tf.square(inputs), axis=dim, keepdims=True) + epsilon)


@contrib(_BOTH, "repeat")
@add_arg_scope
def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """The same layer several times over, in scopes `scope/scope_1`, `scope/scope_2`, ..."""
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Repeat", [inputs]):
        outputs = tf.convert_to_tensor(inputs)
        name = scope or _name_of(layer, "repeat")
        for i in range(repetitions):
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


@contrib(_BOTH, "stack")
@add_arg_scope
def stack(inputs: Any, layer: Any, stack_args: Any, **kwargs: Any) -> Any:
    """A layer several times over, each with its own arguments from stack_args, in `scope/scope_1`, ..."""
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    with tf.variable_scope(scope, "Stack", [inputs]):
        outputs = tf.convert_to_tensor(inputs)
        name = scope or _name_of(layer, "stack")
        for i, given in enumerate(stack_args):
            own = given if isinstance(given, (list, tuple)) else [given]
            outputs = layer(outputs, *own, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


def _name_of(layer: Any, otherwise: str) -> str:
    return getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", otherwise)


@contrib(_BOTH, "embed_sequence")
@add_arg_scope
def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """Rows of a variable `embeddings` [vocab_size, embed_dim] for each id. [N,T] -> [N,T,embed_dim]

    Args:
      unique: look each id up once; the result is the same.
    Raises:
      ValueError: vocab_size or embed_dim is missing where the variable is made.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            f"Must specify vocab size and embedding dimension when not reusing. Got {vocab_size}, {embed_dim}"
        )
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        if reuse and (vocab_size is None or embed_dim is None):
            shape = None
        table = model_variable("embeddings", shape, tf.float32, initializer, regularizer, trainable)
        if not unique:
            return tf.nn.embedding_lookup(table, ids)
        flat, places = tf.unique(tf.reshape(ids, [-1]))
        rows = tf.gather(tf.nn.embedding_lookup(table, flat), places)
        return tf.reshape(rows, tf.concat([tf.shape(ids), [tf.shape(table)[1]]], 0))


@contrib(_BOTH, "maxout")
@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The largest of each run of channels: [..., C] -> [..., num_units].

    Raises:
      ValueError: num_units does not divide the channels.
    Source: Goodfellow et al. 2013.
    """
    with tf.variable_scope(scope, "MaxOut", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        sizes = sizes_of(inputs)
        axis = axis + len(sizes) if axis < 0 else axis
        if sizes[axis] % num_units:
            raise ValueError(f"number of features({sizes[axis]}) is not a multiple of num_units({num_units})")
        runs = tf.reshape(inputs, [*sizes[:axis], num_units, sizes[axis] // num_units, *sizes[axis + 1 :]])
        return tf.reduce_max(runs, axis + 1)


@contrib(_BOTH, "spatial_softmax")
@add_arg_scope
def spatial_softmax(
    features: Any,
    temperature: Any = None,
    name: str | None = None,
    variables_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
) -> Any:
    """Where each channel's softmax over the pixels lies, in [-1, 1]: [N, H, W, C] -> [N, 2 C], x and y by turns.

    temperature: of the softmax; None: a variable that begins at 1.
    Source: Levine et al. 2016.
    """
    with tf.variable_scope(name or "spatial_softmax"):
        features = tf.convert_to_tensor(features)
        if data_format == "NHWC":
            features = tf.transpose(features, [0, 3, 1, 2])
        channels = features.shape.as_list()[1]
        _, _, height, width = sizes_of(features)
        if temperature is None:
            first = tf.ones_initializer()
            temperature = tf.get_variable(
                "temperature", (), tf.float32, first, trainable=trainable, collections=variables_collections
            )
        attention = tf.nn.softmax(tf.reshape(features, [-1, height * width]) / temperature)
        y, x = tf.meshgrid(tf.linspace(-1.0, 1.0, height), tf.linspace(-1.0, 1.0, width), indexing="ij")
        places = [tf.reduce_sum(attention * tf.reshape(p, [-1]), 1, keepdims=True) for p in (x, y)]
        return tf.reshape(tf.concat(places, 1), [-1, 2 * channels])
