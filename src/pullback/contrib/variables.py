"""`tf.contrib.framework` and `slim`: variables by kind, by name, and from checkpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import add_arg_scope, contrib
from pullback.core.errors import ArgumentError

_BOTH = "framework slim"


def collected(given: Any, *always: str) -> list[Any]:
    """Names of collections: those given (one, several or none) and those that always are."""
    found = [] if given is None else [given] if isinstance(given, str) else list(given)
    return list(dict.fromkeys([*found, *always]))


def noted(value: Any, collections: Any) -> Any:
    """The value, put into collections; its graph remembers the name scopes it was put there in."""
    for name in collected(collections):
        tf.add_to_collection(name, value)
        if isinstance(value, tf.Tensor) and not tf.executing_eagerly():
            remember_scope(value, value.graph.get_name_scope())
    return value


def remember_scope(tensor: Any, scope: str) -> None:
    """Lets a tensor be known by a scope."""
    tensor.graph.kept.setdefault("scopes of outputs", {}).setdefault(id(tensor), []).append(scope)


def scopes_of_output(tensor: Any) -> list[str]:
    """The name scopes a tensor was noted in, such as "vgg_16/conv1/conv1_1"; none of a tensor that was not."""
    return tensor.graph.kept.get("scopes of outputs", {}).get(id(tensor), [])


@contrib(_BOTH, "variable")
@add_arg_scope
def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: Any = None,
) -> Any:
    """The variable of this name in the variable scope in force, as `get_variable`, in the collections given and
    GLOBAL_VARIABLES."""
    with tf.device(device or ""):
        return tf.get_variable(
            name,
            shape,
            tf.float32 if dtype is None else dtype,
            initializer,
            regularizer,
            trainable,
            collected(collections, tf.GraphKeys.GLOBAL_VARIABLES),
            caching_device,
            partitioner,
            use_resource=use_resource,
            custom_getter=custom_getter,
        )


@contrib(_BOTH, "model_variable")
@add_arg_scope
def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    use_resource: Any = None,
) -> Any:
    """`variable`, also in MODEL_VARIABLES."""
    kept = collected(collections, tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES)
    return variable(
        name,
        shape,
        dtype,
        initializer,
        regularizer,
        trainable,
        kept,
        caching_device,
        device,
        partitioner,
        custom_getter,
        use_resource,
    )


@contrib(_BOTH, "local_variable")
def local_variable(initial_value: Any, validate_shape: bool = True, name: str | None = None) -> Any:
    """A variable of LOCAL_VARIABLES that is not trained."""
    kept = [tf.GraphKeys.LOCAL_VARIABLES]
    return tf.Variable(initial_value, trainable=False, collections=kept, validate_shape=validate_shape, name=name)


@contrib(_BOTH, "add_model_variable")
def add_model_variable(var: Any) -> None:
    """Puts a variable into MODEL_VARIABLES, once."""
    if not any(v is var for v in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)):
        tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, var)


@contrib(_BOTH, "get_variables")
def get_variables(scope: Any = None, suffix: str | None = None, collection: str = "variables") -> list[Any]:
    """Variables of a collection, under a scope (name or VariableScope), whose name ends in `suffix`."""
    if isinstance(scope, tf.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else f'{suffix}:'}"
    return tf.get_collection(collection, scope)


@contrib(_BOTH, "get_model_variables")
def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """The model's variables: those that layers made."""
    return get_variables(scope, suffix, tf.GraphKeys.MODEL_VARIABLES)


@contrib(_BOTH, "get_local_variables")
def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """Local variables."""
    return get_variables(scope, suffix, tf.GraphKeys.LOCAL_VARIABLES)


@contrib(_BOTH, "get_trainable_variables")
def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """Trainable variables."""
    return get_variables(scope, suffix, tf.GraphKeys.TRAINABLE_VARIABLES)


@contrib(_BOTH, "get_variables_by_suffix")
def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """Variables whose name ends in `suffix`."""
    return get_variables(scope, suffix)


@contrib(_BOTH, "get_variables_by_name")
def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """Variables whose last part is `given_name`."""
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


@contrib(_BOTH, "get_unique_variable")
def get_unique_variable(var_op_name: str) -> Any:
    """The variable of this name.

    Raises:
      ValueError: there is none.
    """
    found = [v for v in tf.global_variables() if v.op.name == var_op_name]
    if not found:
        raise ValueError(f"Variable {var_op_name} does not match any variable")
    return found[0]


@contrib(_BOTH, "get_variables_to_restore", "filter_variables_to_restore")
def get_variables_to_restore(include: Any = None, exclude: Any = None) -> list[Any]:
    """Global variables under the scopes of `include` (all by default), without those under `exclude`."""
    found = tf.global_variables()
    if include is not None:
        found = list(dict.fromkeys(v for scope in collected(include) for v in get_variables(scope)))
    barred = [re.compile(scope) for scope in collected(exclude)]
    return [v for v in found if not any(pattern.match(v.op.name) for pattern in barred)]


@contrib(_BOTH, "assign_from_values")
def assign_from_values(var_names_to_values: dict[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """(an operation, what to feed it) that gives variables the values.

    Raises:
      ValueError: a name is no variable's.
    """
    made, fed = [], {}
    for name, value in var_names_to_values.items():
        target = get_unique_variable(name)
        given = tf.placeholder(target.dtype.base_dtype, target.shape)
        made.append(target.assign(given))
        fed[given] = value
    return tf.group(*made), fed


@contrib(_BOTH, "assign_from_values_fn")
def assign_from_values_fn(var_names_to_values: dict[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that gives variables the values."""
    operation, fed = assign_from_values(var_names_to_values)
    return lambda session: session.run(operation, fed)


def _by_checkpoint_name(var_list: Any) -> dict[str, Any]:
    return dict(var_list) if isinstance(var_list, dict) else {v.op.name: v for v in var_list}


@contrib(_BOTH, "assign_from_checkpoint")
def assign_from_checkpoint(model_path: str, var_list: Any, ignore_missing_vars: bool = False) -> Any:
    """(an operation, what to feed it) that gives variables their values from a checkpoint.

    Args:
      var_list: variables, or {name in the checkpoint: variable}.
    Raises:
      ValueError: the checkpoint lacks one, and ignore_missing_vars is False.
    """
    reader = tf.train.NewCheckpointReader(model_path)
    values = {}
    for name, target in _by_checkpoint_name(var_list).items():
        if reader.has_tensor(name):
            values[target.op.name] = reader.get_tensor(name).reshape(target.shape.as_list())
        elif not ignore_missing_vars:
            raise ValueError(f"Checkpoint is missing variable [{name}]")
    return assign_from_values(values)


@contrib(_BOTH, "assign_from_checkpoint_fn")
def assign_from_checkpoint_fn(
    model_path: str, var_list: Any, ignore_missing_vars: bool = False, reshape_variables: bool = False
) -> Any:
    """A function of a session that restores variables from a checkpoint.

    Args:
      reshape_variables: give them the checkpoint's values in their own shape.
    """
    if not var_list:
        raise ValueError("var_list cannot be empty")
    if reshape_variables:
        operation, fed = assign_from_checkpoint(model_path, var_list, ignore_missing_vars)
        return lambda session: session.run(operation, fed)
    wanted = _by_checkpoint_name(var_list)
    if ignore_missing_vars:
        reader = tf.train.NewCheckpointReader(model_path)
        wanted = {name: v for name, v in wanted.items() if reader.has_tensor(name)}
    saver = tf.train.Saver(wanted)
    return lambda session: saver.restore(session, model_path)


@contrib(_BOTH, "get_global_step")
def get_global_step(graph: Any = None) -> Any:
    """The global step; None when there is none."""
    return tf.train.get_global_step(graph)


@contrib(_BOTH, "get_or_create_global_step")
def get_or_create_global_step(graph: Any = None) -> Any:
    """The global step, made when there is none."""
    return tf.train.get_or_create_global_step(graph)


@contrib(_BOTH, "create_global_step")
def create_global_step(graph: Any = None) -> Any:
    """A new global step.

    Raises:
      ValueError: there is one.
    """
    return tf.train.create_global_step(graph)


@contrib(_BOTH, "assert_global_step")
def assert_global_step(global_step_tensor: Any) -> None:
    """Checks that a tensor can count steps."""
    tf.train.assert_global_step(global_step_tensor)


@contrib("framework", "get_name_scope")
def get_name_scope() -> str:
    """The name scope in force."""
    return tf.get_default_graph().get_name_scope()


@contrib("framework", "with_shape")
def with_shape(expected_shape: Any, tensor: Any) -> Any:
    """The tensor, its shape checked as far as it is known.

    Raises:
      ValueError: the shapes cannot be equal.
    """
    if not tensor.shape.is_compatible_with(expected_shape):
        raise ArgumentError(f"with_shape: the tensor has shape {tensor.shape}, which is not {expected_shape}")
    return tf.ensure_shape(tensor, expected_shape)
