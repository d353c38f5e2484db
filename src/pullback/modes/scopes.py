"""variable_scope and get_variable: variables found by name, made once, shared on request."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import interpreter, shape
from pullback.core.dtypes import DType, as_dtype, float32
from pullback.core.graph import Graph
from pullback.core.names import public, public_value
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.modes.default import GraphKeys, get_default_graph
from pullback.modes.partitioned import PartitionedVariable, PartitionInfo, SliceInfo, pieces
from pullback.modes.variable import Variable, VariableAggregation, VariableSynchronization, VariableV1


class _AutoReuse:
    """Finds the variable when it exists, makes it when it does not."""

    def __repr__(self) -> str:
        return "AUTO_REUSE"


AUTO_REUSE = _AutoReuse()
public_value("AUTO_REUSE", v1="AUTO_REUSE")


@public(v1="VariableScope")
class VariableScope:
    """Defaults of get_variable: name prefix, reuse, initializer, regularizer, dtype, constraint, custom getter."""

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = float32,
        use_resource: Any = None,
        constraint: Any = None,
    ) -> None:
        self.name, self.reuse, self.initializer, self.regularizer = name, reuse, initializer, regularizer
        self.caching_device, self.partitioner, self.custom_getter = caching_device, partitioner, custom_getter
        self.original_name_scope, self.dtype = name_scope, as_dtype(dtype)
        self.use_resource, self.constraint = use_resource, constraint

    def reuse_variables(self) -> None:
        """get_variable finds variables from here on, and makes none."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        self.regularizer = regularizer

    def set_dtype(self, dtype: Any) -> None:
        self.dtype = as_dtype(dtype)

    def set_custom_getter(self, custom_getter: Any) -> None:
        self.custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """What a collection holds under this scope."""
        return get_default_graph().get_collection(name, self.name + "/" if self.name else None)

    def trainable_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)


class _State:
    """A graph's variables by full name, the scope in force, and how often each default name was opened."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.current = VariableScope(False)
        self.opened: dict[str, int] = {}


_eager = _State()


def _state() -> _State:
    here = interpreter.current()
    graph = here.outermost if isinstance(here, Graph) else get_default_graph()
    if not isinstance(graph, Graph):
        return _eager
    if graph.variable_scope is None:
        graph.variable_scope = _State()
    return graph.variable_scope


@public(v1="get_variable_scope")
def get_variable_scope() -> VariableScope:
    """The variable scope in force."""
    return _state().current


@public(v1="variable_scope")
class variable_scope:
    """Context: get_variable puts `name/` in front, and takes this scope's defaults.

    Args:
      name_or_scope: a name, or a scope to enter again.
      default_name: used, made unique, when name_or_scope is None.
      reuse: True: variables must exist; None or False: as outside; AUTO_REUSE: found, or made.
      partitioner: divides the variables made inside: a function (shape=, dtype=) -> how many parts along each axis.
    Raises:
      ValueError: neither a name nor a default name was given, or get_variable meets a name against `reuse`.
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: Any = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        self._given, self._default, self._reuse = name_or_scope, default_name, reuse
        self._settings = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._auxiliary = auxiliary_name_scope
        self._stacks: list[tuple[Any, Any, contextlib.ExitStack]] = []

    def __enter__(self) -> VariableScope:
        state, stack = _state(), contextlib.ExitStack()
        outer = state.current
        given = self._given
        if isinstance(given, VariableScope):
            base, name, shown = given, given.name, given.name
        else:
            base = outer
            short = given if given is not None else self._unique(state, outer)
            name = f"{outer.name}/{short}" if outer.name else short
            shown = short
        graph = get_default_graph() if not isinstance(interpreter.current(), Graph) else interpreter.current()
        scope_name = ""
        if self._auxiliary and shown:
            # A scope that is entered again names its operations anew, as TensorFlow does: scope_1/...
            last = shown.rpartition("/")[2] if isinstance(given, VariableScope) else shown
            scope_name = stack.enter_context(graph.name_scope(last))
        reuse = self._reuse or base.reuse or outer.reuse
        scope = VariableScope(reuse, name, name_scope=scope_name)
        for key, value in self._settings.items():
            setattr(scope, key, getattr(base, key) if value is None else as_dtype(value) if key == "dtype" else value)
        getter = self._settings["custom_getter"]
        if getter is not None and base.custom_getter is not None:
            inner = base.custom_getter
            scope.custom_getter = lambda real, *a, **k: getter(lambda *b, **m: inner(real, *b, **m), *a, **k)
        for opened in list(state.opened):
            if opened.startswith(name + "/"):
                del state.opened[opened]
        state.current = scope
        self._stacks.append((state, outer, stack))
        return scope

    def _unique(self, state: _State, outer: VariableScope) -> str:
        full = f"{outer.name}/{self._default}" if outer.name else str(self._default)
        count = state.opened.get(full, 0)
        state.opened[full] = count + 1
        return str(self._default) if not count else f"{self._default}_{count}"

    def __exit__(self, *exc: Any) -> None:
        state, outer, stack = self._stacks.pop()
        state.current = outer
        stack.close()


@public(v1="no_regularizer")
def no_regularizer(_: Any) -> None:
    """Says that a variable is not regularized, whatever the scope says."""
    return None


@public(v1="get_variable")
def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """The variable of this name under the current variable scope; made when the scope allows.

    Args:
      initializer: a function (shape, dtype=, partition_info=) or (shape, dtype), or a value; by default Glorot uniform
        for floats, zeros for integers and bool.
      regularizer: a function of the variable; what it gives joins REGULARIZATION_LOSSES.
      partitioner: a function (shape=, dtype=) -> how many parts along each axis, of which one may be divided; gives a
        PartitionedVariable.
    Raises:
      ValueError: the variable exists and reuse is not on, or does not exist and reuse is True; or the shape is
        not known.
    """
    scope = get_variable_scope()
    getter = custom_getter or scope.custom_getter
    settings = {
        "shape": shape,
        "dtype": scope.dtype if dtype is None else as_dtype(dtype),
        "initializer": scope.initializer if initializer is None else initializer,
        "regularizer": scope.regularizer if regularizer is None else regularizer,
        "trainable": trainable,
        "collections": collections,
        "caching_device": scope.caching_device if caching_device is None else caching_device,
        "partitioner": scope.partitioner if partitioner is None else partitioner,
        "validate_shape": validate_shape,
        "use_resource": scope.use_resource if use_resource is None else use_resource,
        "constraint": scope.constraint if constraint is None else constraint,
        "synchronization": synchronization,
        "aggregation": aggregation,
        "reuse": scope.reuse,
    }
    full = f"{scope.name}/{name}" if scope.name else name
    if getter is not None:
        return getter(_get, full, **settings)
    return _get(full, **settings)


def _get(
    name: str,
    shape: Any = None,
    dtype: Any = float32,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Any:
    state = _state()
    if partitioner is not None and (shape is not None or callable(getattr(initializer, "get_shape", None))):
        settings = (regularizer, reuse, trainable, collections, validate_shape, constraint)
        return _in_parts(state, name, shape, as_dtype(dtype), initializer, partitioner, settings)
    found = state.variables.get(name)
    if found is not None:
        if not reuse:
            raise ValueError(
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        _check_shared(name, found, shape, dtype)
        return found
    if reuse is True:
        raise ValueError(
            f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
            "reuse=tf.AUTO_REUSE in VarScope?"
        )
    made = _made(name, shape, as_dtype(dtype), initializer, trainable, collections, validate_shape, constraint)
    state.variables[name] = made
    if regularizer is not None:
        graph = _outside()
        with graph.as_default(), graph.name_scope(f"{name}/Regularizer/"):
            loss = regularizer(made.value())
        if loss is not None:
            graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return made


def _in_parts(
    state: _State, name: str, given: Any, dtype: DType, initializer: Any, partitioner: Any, settings: tuple[Any, ...]
) -> PartitionedVariable:
    """The variable, divided as the partitioner says; each part is a variable `name/part_i`.

    settings: regularizer, reuse, trainable, collections, validate_shape, constraint.
    """
    regularizer, reuse, trainable, collections, validate, constraint = settings
    value = None if given is not None else interpreter.as_tensor(initializer)
    whole: Any = as_shape(given) if value is None else value.spec.shape
    if whole is None or not shape.known(whole):
        raise ValueError(
            f"Shape of a new partitioned variable ({name}) must be fully defined, not {shape.text(whole)}."
        )
    dtype = dtype if value is None else value.dtype
    counts = list(partitioner(shape=get_default_graph().dialect.shape(whole), dtype=dtype))
    starting = _default_initializer(name, dtype) if initializer is None else initializer
    starting = starting() if isinstance(starting, type) else starting
    parts = []
    for i, info in enumerate(pieces(name, list(whole), counts)):
        if value is None:
            start: Any = functools.partial(_part_initialised, starting, info)
        else:
            start = value[tuple(slice(a, a + n) for a, n in zip(info.var_offset, info.var_shape, strict=True))]
        sizes = info.var_shape if value is None else None
        part = _get(
            f"{name}/part_{i}", sizes, dtype, start, regularizer, reuse, trainable, collections,
            validate_shape=validate, constraint=constraint,
        )  # fmt: skip
        part._save_slice_info = info
        parts.append(part)
    return PartitionedVariable(name, whole, dtype, parts, counts)


def _part_initialised(initializer: Callable[..., Any], info: SliceInfo, wanted: Any, dtype: DType) -> Any:
    """A part's initial value. Initializers that take partition_info are told where the part lies."""
    if "partition_info" in getattr(inspect.signature(initializer), "parameters", {}):
        return initializer(wanted, dtype=dtype, partition_info=PartitionInfo(info.full_shape, info.var_offset))
    return _initialised(initializer, wanted, dtype)


def _outside() -> Graph:
    """The graph that variables made here live in: outside of loops, branches and functions."""
    graph = get_default_graph()
    outermost = graph.outermost
    return outermost if isinstance(outermost, Graph) else graph


def _check_shared(name: str, found: Variable, given: Any, dtype: Any) -> None:
    if given is not None and not found.shape.is_compatible_with(given):
        raise ValueError(
            f"Trying to share variable {name}, but specified shape {shape.TensorShape(given)} "
            f"and found shape {found.shape}."
        )
    if as_dtype(dtype) is not found.dtype:
        raise ValueError(
            f"Trying to share variable {name}, but specified dtype {as_dtype(dtype).name} "
            f"and found dtype {found.dtype.name}."
        )


def _made(
    name: str,
    given: Any,
    dtype: DType,
    initializer: Any,
    trainable: Any,
    collections: Any,
    validate: bool,
    constraint: Any,
) -> Variable:
    wanted = None if given is None else as_shape(given)
    if isinstance(initializer, type):
        initializer = initializer()
    if initializer is None:
        initializer = _default_initializer(name, dtype)
    if callable(initializer):
        if wanted is None or not shape.known(wanted):
            raise ValueError(
                f"Shape of a new variable ({name}) must be fully defined, but instead was {shape.text(wanted)}."
            )
        initial: Any = lambda: _initialised(initializer, wanted, dtype)  # noqa: E731
    else:
        initial = initializer
        if wanted is not None:
            raise ValueError("If initializer is a constant, do not specify shape.")
        if isinstance(initializer, Tensor):
            dtype = initializer.dtype
        elif isinstance(initializer, np.ndarray) and dtype is float32:
            dtype = as_dtype(initializer.dtype)
    graph = _outside()
    with graph.control_dependencies(None), graph.name_scope(None):
        return VariableV1(
            initial,
            trainable=trainable,
            collections=collections,
            validate_shape=validate,
            name=name,
            dtype=dtype,
            constraint=constraint,
        )


def _initialised(initializer: Callable[..., Any], wanted: Any, dtype: DType) -> Any:
    """The initializer's tensor; a function may take the dtype or only the shape."""
    try:
        return initializer(wanted, dtype=dtype)
    except TypeError as error:
        if "dtype" not in str(error):
            raise
        return initializer(wanted)


def _default_initializer(name: str, dtype: DType) -> Callable[..., Any]:
    if dtype.is_floating:
        from pullback.ops.random.initial import glorot_uniform

        return glorot_uniform
    if dtype.is_integer or dtype.is_bool or dtype.name == "string":
        return lambda wanted, dtype=dtype: (
            np.zeros(wanted, dtype.numpy) if dtype.name != "string" else np.full(wanted, b"", object)
        )
    raise ValueError(f"An initializer for variable {name} of {dtype.name} is required")
