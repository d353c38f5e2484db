"""What programs take from inside TensorFlow and has no public name there.

Written in TensorFlow 1's words, as its users would write it.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pullback.v1 as tf
from pullback.core import interpreter
from pullback.core.names import public
from pullback.core.op import REGISTRY
from pullback.core.tensor import EagerTensor, Tensor
from pullback.modes import default
from pullback.modes.default import executing_eagerly_v1 as executing_eagerly

__all__ = ["EagerTensor", "Tensor", "executing_eagerly"]


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """variable <- decay variable + (1 - decay) value.

    Args:
      zero_debias: the variable started from 0; it then holds the average divided by 1 - decay^t, and the average itself
        and t stand beside it as `biased` and `local_step`.
    Returns:
      The new value.
    Source: Kingma & Ba 2015, section 3 (the correction).
    """
    with tf.name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        rest = tf.convert_to_tensor(1.0 - decay, dtype=variable.dtype.base_dtype, name="decay")
        if not zero_debias:
            return tf.assign_sub(variable, (variable - value) * rest, name=scope)
        with tf.variable_scope(variable.op.name, reuse=tf.AUTO_REUSE):
            kept = {"dtype": variable.dtype.base_dtype, "initializer": tf.zeros_initializer(), "trainable": False}
            biased = tf.get_variable("biased", variable.shape, **kept)
            step = tf.get_variable("local_step", [], **kept)
        average = tf.assign_sub(biased, (biased - value) * rest)
        steps = tf.assign_add(step, 1.0)
        return tf.assign(variable, average / (1.0 - tf.pow(1.0 - rest, steps)), name=scope)


def weighted_moving_average(
    value: Any, decay: Any, weight: Any, truediv: bool = True, collections: Any = None, name: str | None = None
) -> Any:
    """The moving average of value * weight over that of weight."""
    with tf.variable_scope(name, "WeightedMovingAvg", [value, weight, decay]):
        kept = {"initializer": tf.zeros_initializer(), "trainable": False, "collections": collections}
        values = tf.get_variable("value_x_weight", value.shape, value.dtype, **kept)
        weights = tf.get_variable("weight", weight.shape, weight.dtype, **kept)
        above = assign_moving_average(values, value * weight, decay, zero_debias=False)
        below = assign_moving_average(weights, weight, decay, zero_debias=False)
        return tf.divide(above, below) if truediv else tf.div(above, below)


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """The tensor, once the dependencies have run."""
    with tf.control_dependencies(dependencies):
        return tf.identity(output_tensor, name=name)


class DeviceAttributes(NamedTuple):
    """What `list_local_devices` tells of a device."""

    name: str
    device_type: str
    memory_limit: int
    incarnation: int
    physical_device_desc: str


def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The devices of this process: one CPU. Memory is not limited here, so the limit is the machine's.

    session_config: has no meaning: it could only hide devices, of which there is one.
    """
    import os

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return [DeviceAttributes("/device:CPU:0", "CPU", memory, 1, "")]


def constant_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor that is known before it runs; None of others."""
    return tf.get_static_value(tensor, partial)


def smart_constant_value(pred: Any) -> bool | None:
    """What is known of a predicate before it runs: True, False, or None."""
    if isinstance(pred, (bool, int)) and pred in (0, 1):
        return bool(pred)
    if not isinstance(pred, (Tensor, tf.Variable)):
        raise TypeError(f"pred must be a Tensor, a Python bool, or 1 or 0, but is {pred!r}")
    value = constant_value(pred)
    return None if value is None else bool(value)


def smart_cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """`cond`, decided now where the predicate is known now."""
    known = smart_constant_value(pred)
    if known is None:
        return tf.cond(pred, true_fn=true_fn, false_fn=false_fn, name=name)
    return true_fn() if known else false_fn()


def convert_n_to_tensor(values: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None) -> Any:
    """Each value as a tensor."""
    return [
        tf.convert_to_tensor(v, dtype, f"{name}_{i}" if name else None, preferred_dtype) for i, v in enumerate(values)
    ]


@public(v1="colocate_with")
@contextlib.contextmanager
def colocate_with(op: Any, ignore_existing: bool = False) -> Iterator[None]:
    """Operations made inside belong on the device of `op`. There is one device, so nothing changes."""
    yield


@contextlib.contextmanager
def graph_mode() -> Iterator[None]:
    """v1's functions build into the default graph inside."""
    before = default.eager_by_default(False)
    try:
        yield
    finally:
        default.eager_by_default(before)


@contextlib.contextmanager
def eager_mode() -> Iterator[None]:
    """v1's functions run at once inside."""
    before = default.eager_by_default(True)
    try:
        with interpreter.entered(interpreter.eager()):
            yield
    finally:
        default.eager_by_default(before)


def print_tensors_in_checkpoint_file(
    file_name: str,
    tensor_name: str | None,
    all_tensors: bool,
    all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:
    """Prints what a checkpoint holds: names, with shapes, or with values; and how many numbers.

    Args:
      tensor_name: print the value of this one, unless all are asked for.
      all_tensors: print all values. all_tensor_names: print all names.
      count_exclude_pattern: tensors whose names match this regular expression are not counted.
    """
    reader = tf.train.NewCheckpointReader(file_name)
    shapes = reader.get_variable_to_shape_map()
    if all_tensors or all_tensor_names:
        for name in sorted(shapes):
            print("tensor_name: ", name)
            if all_tensors:
                print(reader.get_tensor(name))
    elif tensor_name:
        print("tensor_name: ", tensor_name)
        print(reader.get_tensor(tensor_name))
    else:
        for name in sorted(shapes):
            print(f"{name} {shapes[name]}")
    left_out = re.compile(count_exclude_pattern) if count_exclude_pattern else None
    counted = [sizes for name, sizes in shapes.items() if not (left_out and left_out.search(name))]
    print(f"# Total number of params: {sum(map(math.prod, counted))}")


def function_of_op(kind: str) -> Callable[..., Any]:
    """The function of `gen_*_ops` that makes an op: inputs first, then attributes, by position or name."""
    cls = REGISTRY[kind]
    names = [argument.name for argument in cls.parsed.inputs]

    def function(*args: Any, name: str | None = None, **attrs: Any) -> Any:
        given = dict(zip((*names, *cls.fields), args, strict=False)) | attrs
        absent = [n for n in names if n not in given]
        if absent or len(args) > len(names) + len(cls.fields):
            raise TypeError(
                f"{kind} takes ({', '.join((*names, *cls.fields))}); missing: {', '.join(absent) or 'none'}"
            )
        inputs = [given.pop(n) for n in names]
        with default.building():
            return cls(**given)(*inputs, name=name)

    function.__name__, function.__doc__ = kind, cls.__doc__
    return function


def by_position(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of raw_ops, which takes names only, as `gen_*_ops` has it: by position too."""
    signature = inspect.signature(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(**signature.bind(*args, **kwargs).arguments)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call
