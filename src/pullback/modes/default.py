"""TensorFlow 1's default graph, and how its functions find it.

A function of the v1 namespace, called where no graph is current, builds into the default graph; under a graph, a
function body or after `enable_eager_execution` it does what the same function of TensorFlow 2 does.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.dialect import V1, V2
from pullback.core.dtypes import resource
from pullback.core.graph import Graph
from pullback.core.names import public


class _Default:
    dialect = V1
    graph = Graph(V1)
    eager = False


@public("Graph", v1=None)
class GraphV2(Graph):
    """A graph of TensorFlow 2's dialect."""

    def __init__(self) -> None:
        super().__init__()


@public(v1="Graph")
class GraphV1(Graph):
    """A graph of TensorFlow 1's dialect."""

    def __init__(self) -> None:
        super().__init__(_Default.dialect)

    def get_tensor_by_name(self, name: str) -> Any:
        """The tensor of a name. A variable's own name, as "w:0", gives the variable: in TensorFlow 1 it gives a
        reference that is read where it is used and may be assigned to, and that is what a variable does."""
        tensor = super().get_tensor_by_name(name)
        if tensor.dtype is not resource:
            return tensor
        held = (value for values in self.collections.values() for value in values)
        return next((value for value in held if getattr(value, "handle", None) is tensor), tensor)


_Default.graph = GraphV1()


@public(v1=("get_default_graph",))
def get_default_graph() -> Graph:
    """The graph that operations go to: the innermost `graph.as_default()`, else the process's own."""
    here = interpreter.current()
    return here if isinstance(here, Graph) else _Default.graph


@public(v1="reset_default_graph")
def reset_default_graph() -> None:
    """Puts an empty graph in place of the process's own.

    Raises:
      AssertionError: inside `graph.as_default()`, as in TensorFlow.
    """
    if isinstance(interpreter.current(), Graph):
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. Leave `with graph.as_default()` first."
        )
    _Default.graph = GraphV1()


@public("executing_eagerly", v1=None)
def executing_eagerly() -> bool:
    """Whether operations run at once here."""
    return not isinstance(interpreter.current(), Graph)


@public(v1="executing_eagerly")
def executing_eagerly_v1() -> bool:
    """Whether operations run at once here: not, until `enable_eager_execution`."""
    return _Default.eager and executing_eagerly()


@public(v1="enable_v2_behavior")
def enable_v2_behavior() -> None:
    """Lets the v1 functions run at once."""
    _Default.eager = True


@public(v1="enable_eager_execution")
def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Lets the v1 functions run at once. Placement and scheduling arguments have no meaning on one CPU."""
    _Default.eager = True


@public(v1=("disable_eager_execution", "disable_v2_behavior"))
def disable_eager_execution() -> None:
    """Lets the v1 functions build into the default graph, as they do at first."""
    _Default.eager = False


def _speak(**changes: Any) -> None:
    """Changes the meaning of tensors in the default graph, and in v1's graphs made later."""
    _Default.dialect = _Default.dialect._replace(**changes)
    _Default.graph.dialect = _Default.graph.dialect._replace(**changes)


@public(v1="enable_v2_tensorshape")
def enable_v2_tensorshape() -> None:
    """Lets dimensions of v1's graphs be ints and None, as in TensorFlow 2."""
    _speak(shape=V2.shape)


@public(v1="disable_v2_tensorshape")
def disable_v2_tensorshape() -> None:
    """Lets dimensions of v1's graphs be Dimensions."""
    _speak(shape=V1.shape)


@public(v1="enable_tensor_equality")
def enable_tensor_equality() -> None:
    """Lets `==` compare tensors of v1's graphs element by element."""
    _speak(elementwise_equality=True)


@public(v1="disable_tensor_equality")
def disable_tensor_equality() -> None:
    """Lets `==` ask whether two tensors of v1's graphs are one."""
    _speak(elementwise_equality=False)


@public(v1="enable_resource_variables")
def enable_resource_variables() -> None:
    """Names the operations of new variables in v1's graphs as TensorFlow's resource variables. All variables behave as
    those do."""
    _speak(variable=V2.variable)


@public(v1="disable_resource_variables")
def disable_resource_variables() -> None:
    """Names the operations of new variables in v1's graphs as TensorFlow 1 did."""
    _speak(variable=V1.variable)


@public(v1="resource_variables_enabled")
def resource_variables_enabled() -> bool:
    """Whether new variables in v1's graphs are named as resource variables."""
    return _Default.dialect.variable == V2.variable


@public(v1="control_flow_v2_enabled")
def control_flow_v2_enabled() -> bool:
    """True: branches and loops hold their bodies."""
    return True


@public(v1="enable_control_flow_v2")
def enable_control_flow_v2() -> None:
    """Branches and loops hold their bodies; they do always."""


def eager_by_default(eager: bool) -> bool:
    """Lets the v1 functions run at once, or build into the default graph; says which it was."""
    before, _Default.eager = _Default.eager, eager
    return before


@contextlib.contextmanager
def building() -> Iterator[Any]:
    """Makes the default graph current where a v1 function needs one."""
    if _Default.eager or isinstance(interpreter.current(), Graph):
        yield interpreter.current()
    else:
        with interpreter.entered(_Default.graph):
            yield _Default.graph


def in_default_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the v1 namespace has it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _Default.eager or isinstance(interpreter.current(), Graph):
            return function(*args, **kwargs)
        with interpreter.entered(_Default.graph):
            return function(*args, **kwargs)

    return call


def graph_for(*values: Any) -> Any:
    """The interpreter that work on these tensors belongs to: their graph's when they are symbolic, else the current."""
    here = interpreter.current()
    if isinstance(here, Graph):
        return here
    return interpreter._graph_of(values) or here


@public("init_scope")
@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """Lifts operations out of function bodies and control flow, to the outermost graph or to eager mode."""
    here = interpreter.current()
    outside = here.outermost if isinstance(here, Graph) else here
    if outside is None or (isinstance(outside, Graph) and outside.outer is not None):
        outside = interpreter.eager()
    controls = outside.control_dependencies(None) if isinstance(outside, Graph) else contextlib.nullcontext()
    with interpreter.entered(outside), controls:
        yield


def _context(v1: bool) -> Any:
    return get_default_graph() if v1 and not _Default.eager else interpreter.current()


@public(v1=("name_scope",))
@contextlib.contextmanager
def name_scope_v1(name: str | None, default_name: str | None = None, values: Any = None) -> Iterator[str]:
    """Names made inside begin with `name/` (`default_name/` when name is None)."""
    with _context(True).name_scope(default_name if name is None else name) as scope:
        yield scope


@public("name_scope", v1=None)
@contextlib.contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Names made inside begin with `name/`. Without meaning outside of graphs."""
    with _context(False).name_scope(name) as scope:
        yield scope


@public("control_dependencies", v1=None)
@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Operations made inside run after `control_inputs`. Eagerly everything runs in order already."""
    here = interpreter.current()
    if isinstance(here, Graph):
        with here.control_dependencies(control_inputs):
            yield
    else:
        for item in control_inputs or ():
            if callable(item):
                item()
        yield


@public(v1="control_dependencies")
@contextlib.contextmanager
def control_dependencies_v1(control_inputs: Any) -> Iterator[None]:
    """Operations made inside run after `control_inputs`; None clears those in force."""
    with building(), control_dependencies(control_inputs):
        yield


@public(v1="device")
@contextlib.contextmanager
def device_v1(device_name_or_function: Any) -> Iterator[None]:
    """Operations made inside are marked with the device's name, or with what a function of the operation says. There is
    one CPU: the mark changes no result."""
    with get_default_graph().device(device_name_or_function):
        yield


@public("device", v1=None)
@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Operations made inside are marked with the device's name. There is one CPU: the mark changes no result."""
    here = interpreter.current()
    with here.device(device_name) if isinstance(here, Graph) else contextlib.nullcontext():
        yield


@public(v1="op_scope")
@contextlib.contextmanager
def op_scope(values: Any, name: str | None, default_name: str | None = None) -> Iterator[str]:
    """name_scope with its arguments in the old order."""
    with name_scope_v1(name, default_name, values) as scope:
        yield scope


class GraphKeys:
    """Names of the standard collections."""

    GLOBAL_VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    METRIC_VARIABLES = "metric_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    SUMMARIES = "summaries"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    CONCATENATED_VARIABLES = "concatenated_variables"
    SAVERS = "savers"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    LOSSES = "losses"
    SAVEABLE_OBJECTS = "saveable_objects"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_OP = "ready_op"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    TRAIN_OP = "train_op"
    EVAL_STEP = "eval_step"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"
    VARIABLES = "variables"


public(v1="GraphKeys")(GraphKeys)


@public(v1="get_collection")
def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """What the default graph collected under a key."""
    return get_default_graph().get_collection(key, scope)


@public(v1="get_collection_ref")
def get_collection_ref(key: Any) -> list[Any]:
    """The default graph's own list under a key."""
    return get_default_graph().get_collection_ref(key)


@public(v1="add_to_collection")
def add_to_collection(name: Any, value: Any) -> None:
    """Adds to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


@public(v1="add_to_collections")
def add_to_collections(names: Any, value: Any) -> None:
    """Adds to several collections of the default graph."""
    get_default_graph().add_to_collections(names, value)
