"""Session: runs parts of a graph.

    fetches --flatten--> tensors, operations --ancestors--> nodes in order --engine--> Program, kept for the next run

Order inside a run: the shared reads of variables come first, so what is fetched beside an update saw the values before
it; everything else follows creation order, which respects data and control inputs.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core import interpreter, nest, shape
from pullback.core.errors import ArgumentError, ShapeError, UnfedError
from pullback.core.graph import Graph, ancestors
from pullback.core.names import method_of, public
from pullback.core.slices import IndexedSlices
from pullback.core.store import Store
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.engines.base import Program
from pullback.modes import run_options
from pullback.modes.default import get_default_graph


class IndexedSlicesValue(NamedTuple):
    """A fetched IndexedSlices."""

    values: Any
    indices: Any
    dense_shape: Any


public(v1="IndexedSlicesValue")(IndexedSlicesValue)


class _Local(threading.local):
    def __init__(self) -> None:
        self.sessions: list[Any] = []


_local = _Local()


@public(v1="get_default_session")
def get_default_session() -> Any:
    """The innermost `with session:`; None outside of any."""
    return _local.sessions[-1] if _local.sessions else None


def default_session(what: str) -> Any:
    """The default session; ValueError when there is none."""
    session = get_default_session()
    if session is None:
        raise ValueError(
            f"Cannot use {what}: No default session is registered. Use `with sess.as_default()` or pass "
            f"an explicit session to `{what}(session=sess)`"
        )
    return session


class _Plan:
    """A compiled set of fetches: the program, and how its results become what the caller asked for."""

    __slots__ = ("fed", "program", "rebuild", "rewrites", "roots")

    def __init__(
        self, program: Program, fed: list[Tensor], rebuild: Callable[[Any], Any], rewrites: int, roots: Any
    ) -> None:
        self.program, self.fed, self.rebuild, self.rewrites, self.roots = program, fed, rebuild, rewrites, roots


class Device(NamedTuple):
    """A device as `list_devices` tells of it; memory_limit_bytes is 0, as nothing limits it."""

    name: str
    device_type: str
    memory_limit_bytes: int = 0


class BaseSession:
    """Runs operations of a graph and evaluates tensors.

    Args:
      target: "" - sessions run in this process.
      graph: the graph; the default graph when left out.
      config: a ConfigProto; it chooses threads, time limits and logs, never results. See modes/run_options.py.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        if target:
            raise ArgumentError(f"Session: sessions run in this process, so target must be '', not {target!r}")
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        self._graph = graph or get_default_graph()
        self.store = Store()
        self._config, self._closed = run_options.checked_config(config), False
        self._logged: set[int] = set()
        self._plans: dict[Any, _Plan] = {}

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def sess_str(self) -> bytes:
        return b""

    def close(self) -> None:
        """Frees the session's values."""
        self._closed = True
        self._plans.clear()
        self.store.cancel()
        self.store = Store()

    def as_default(self) -> contextlib.AbstractContextManager[Any]:
        """Makes this the session of `eval()` and `run()`; does not close it afterwards."""
        return self._as_default()

    @contextlib.contextmanager
    def _as_default(self) -> Iterator[Any]:
        _local.sessions.append(self)
        try:
            yield self
        finally:
            _local.sessions.remove(self)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Runs what the fetches need, once each, and returns their values in the fetches' structure.

        Args:
          fetches: Tensor, Operation, Variable, IndexedSlices, name of one, or a nest of these.
          feed_dict: {tensor: value}; the tensor is not computed but given.
          options: a RunOptions: a time limit, and whether to trace.
          run_metadata: a RunMetadata, which is filled with the trace.
        Returns:
          A copy of each tensor's value (NumPy array, NumPy scalar, bytes); None for an operation.
        Raises:
          RuntimeError: the session is closed. ValueError, TypeError, KeyError: a fetch or feed is not of the graph.
          UnfedError: a placeholder is needed and not fed. UninitializedError: a variable was given no value.
          DeadlineExceededError: the run's time limit is over.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        feeds = self._feeds(feed_dict) if feed_dict else ()
        leaves, structure = nest.flatten(fetches)
        named = tuple([id(x) if not isinstance(x, str) else x for x in leaves])
        key = (interpreter.engine(), named, tuple([id(t) for t, _ in feeds]))
        watch = None
        if options is not None or run_metadata is not None or self._config is not None:
            watch = run_options.watch(options, run_metadata, self._config)
            if watch is not None:
                key = (*key, "watched")
        plan = self._plans.get(key)
        if plan is None or plan.rewrites != self._graph.rewrites:
            plan = self._planned(key, leaves, [t for t, _ in feeds], watch is not None)
        if watch is None:
            values = plan.program(self.store, *[v for _, v in feeds])
        else:
            with watch.listening():
                values = plan.program(self.store, *[v for _, v in feeds])
            watch.fill(run_metadata, options)
        return nest.unflatten(structure, plan.rebuild(values))

    def make_callable(self, fetches: Any, feed_list: Any = None, accept_options: bool = False) -> Callable[..., Any]:
        """A function that runs the fetches, its arguments the values of feed_list, in order; with accept_options it
        also takes `options=` and `run_metadata=`, as `run` does."""
        fed = [self._graph.as_graph_element(t, allow_operation=False) for t in feed_list or ()]

        def call(*values: Any, **told: Any) -> Any:
            if told and not (accept_options and told.keys() <= {"options", "run_metadata"}):
                raise TypeError(f"the callable takes no keywords {sorted(told)}; it was made with {accept_options=}")
            if len(values) != len(fed):
                raise ValueError(
                    f"the callable takes {len(fed)} values, one for each of feed_list, but {len(values)} were given"
                )
            return self.run(fetches, dict(zip(map(Tensor.ref, fed), values, strict=True)), **told)

        return call

    @property
    def graph_def(self) -> Any:
        """The graph as a GraphDef message."""
        graph: Any = self._graph  # its method is the io layer's
        return graph.as_graph_def()

    def list_devices(self) -> list[Device]:
        """The devices there are."""
        return [Device(run_options.DEVICE, "CPU")]

    def _feeds(self, feed_dict: Any) -> list[tuple[Tensor, Any]]:
        return [pair for key, value in feed_dict.items() for pair in self._feed(key, value)]

    def _feed(self, key: Any, value: Any) -> list[tuple[Tensor, Any]]:
        if isinstance(key, IndexedSlices):
            parts = [(key.values, value[0]), (key.indices, value[1])]
            if isinstance(key.dense_shape, Tensor):
                parts.append((key.dense_shape, value[2]))
            return [pair for part in parts for pair in self._feed(*part)]
        if not isinstance(key, Tensor):
            key = key.deref() if hasattr(key, "deref") else key
            if nest.is_nest(key):
                parts = key if isinstance(key, tuple) else nest.leaves_of(key)
                return [pair for part in zip(parts, value, strict=True) for pair in self._feed(*part)]
            try:
                key = self._graph.as_graph_element(key, allow_operation=False)
            except (KeyError, ValueError, TypeError) as error:
                raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error}") from None
        if type(key) is EagerTensor or key.node.graph is not self._graph:
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {key!r} is not an element of this graph.")
        return [(key, fed_value(key, value))]

    def _planned(self, key: Any, leaves: list[Any], fed: list[Tensor], watched: bool) -> _Plan:
        """Compiles a set of fetches and keeps the plan; one that is watched runs node by node."""
        tensors: list[Tensor] = []
        operations: list[Operation] = []
        shapes = [self._fetch(leaf, tensors, operations) for leaf in leaves]
        nodes = needed(self._graph, tensors, operations, fed)
        run_options.log_placement(self._config, nodes, self._logged)
        if watched:
            program: Any = Program(interpreter.engine(), nodes, fed, tensors, run_options.tell)
        else:
            program = interpreter.engine().compiled(nodes, fed, tensors)

        def rebuild(values: Any) -> list[Any]:
            return [_rebuilt(s, values) for s in shapes]

        if len(self._plans) >= 512:
            self._plans.clear()
        plan = self._plans[key] = _Plan(program, fed, rebuild, self._graph.rewrites, leaves)
        return plan

    def _fetch(self, leaf: Any, tensors: list[Tensor], operations: list[Operation]) -> Any:
        """Notes what a leaf needs; returns where its value will be."""
        if leaf is None:
            raise TypeError(
                "Fetch argument None has invalid type <class 'NoneType'>; a gradient of something unconnected is None"
            )
        if isinstance(leaf, IndexedSlices):
            dense = None if leaf.dense_shape is None or isinstance(leaf.dense_shape, tuple) else leaf.dense_shape
            parts = [
                self._fetch(t, tensors, operations)
                for t in (leaf.values, leaf.indices, *([] if dense is None else [dense]))
            ]
            return IndexedSlicesValue, parts, leaf.dense_shape
        try:
            with self._graph.as_default():
                element = self._graph.as_graph_element(leaf)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {leaf!r} has invalid type {type(leaf)}, must be a string or Tensor. ({error})"
            ) from None
        except KeyError as error:
            raise ValueError(f"Fetch argument {leaf!r} cannot be interpreted as a Tensor. ({error})") from None
        if isinstance(element, Operation):
            operations.append(element)
            return None
        if element.dtype.name == "resource":
            element = _read(element)
        tensors.append(element)
        return len(tensors) - 1

    def __del__(self) -> None:
        self._closed = True


def _read(handle: Tensor) -> Tensor:
    read = handle.node.graph.reads.get(id(handle))
    if read is None:
        raise TypeError(f"{handle!r} is a handle of no variable and has no value to fetch")
    return read


def _rebuilt(where: Any, values: Any) -> Any:
    if where is None:
        return None
    if isinstance(where, int):
        return fetched(values[where])
    kind, parts, dense = where
    rebuilt = [_rebuilt(p, values) for p in parts]
    if len(rebuilt) == 2:
        rebuilt.append(None if dense is None else np.array(dense))
    return kind(*rebuilt)


def fetched(value: Any) -> Any:
    """A value as its fetcher may keep and change it."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim else value[()]
    return value


def fed_value(tensor: Tensor, value: Any) -> Any:
    """A fed value as an array of the tensor's type.

    Raises:
      ShapeError: its shape is not compatible. TypeError: it is a symbolic tensor.
    """
    if isinstance(value, Tensor):
        if type(value) is not EagerTensor:
            raise TypeError(
                f"The value of a feed cannot be a tf.Tensor object, but {value!r} was fed for {tensor.name!r}. "
                "Acceptable feed values include Python scalars, strings, lists, numpy ndarrays."
            )
        value = value.value
    dtype = tensor.spec.dtype
    if dtype.name == "variant" or dtype.name == "resource":
        return value
    if type(value) is not np.ndarray or value.dtype != dtype.numpy:
        if dtype.name == "string":
            value = interpreter.as_tensor(value, dtype, here=interpreter.eager()).value
        else:
            try:
                value = np.asarray(value, dtype.numpy)
            except (TypeError, ValueError) as error:
                raise type(error)(f"the value fed for {tensor.name!r} does not become {dtype.name}: {error}") from None
    if value.shape != tensor.spec.shape and not shape.compatible(value.shape, tensor.spec.shape):
        raise ShapeError(
            f"Cannot feed value of shape {value.shape} for Tensor {tensor.name!r}, which has shape {tensor.shape}"
        ).locate()
    return value


def needed(graph: Graph, tensors: list[Tensor], operations: list[Operation], fed: list[Tensor]) -> list[Operation]:
    """The nodes a run executes, in order.

    Raises:
      UnfedError: a placeholder among them is not fed.
    """
    given = {id(t) for t in fed}
    barred = [t for t in fed if all(id(r) in given for r in t.node.results)]
    found = {id(n): n for n in ancestors(tensors, stops=barred, controls=True)}
    waiting = [op for op in operations if id(op) not in found]
    for op in waiting:
        found[id(op)] = op
        for n in ancestors([t for t in op.inputs], stops=barred, controls=True):
            found[id(n)] = n
        waiting.extend(control for control in op.control_inputs if id(control) not in found)
    for node in found.values():
        if node.op.type == "Placeholder" and id(node.results[0]) not in given:
            t = node.results[0]
            raise UnfedError(
                f"You must feed a value for placeholder tensor '{node.name}' with dtype {t.dtype.name} and shape "
                f"{shape.text(t.spec.shape)}: session.run(..., feed_dict={{{node.name}: value}})"
            ).locate(node.where)
    shared = {id(t.node) for t in graph.reads.values()}

    def order(node: Operation) -> tuple[int, int]:
        early = id(node) in shared or node.op.type in ("VariableV2", "VarHandleOp")
        return (0 if early else 1, node.index)

    return sorted(found.values(), key=order)


@public(v1="Session")
class Session(BaseSession):
    """A session; as a context manager also the default session, with its graph the default graph, closed at the end."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._contexts: list[contextlib.ExitStack] = []

    def __enter__(self) -> Session:
        stack = contextlib.ExitStack()
        stack.enter_context(self._graph.as_default())
        stack.enter_context(self._as_default())
        self._contexts.append(stack)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._contexts.pop().close()
        if not self._contexts:
            self.close()


@public(v1="InteractiveSession")
class InteractiveSession(BaseSession):
    """A session that is the default from the moment it is made until it is closed."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(self._graph.as_default())
        _local.sessions.append(self)

    def close(self) -> None:
        super().close()
        if self in _local.sessions:
            _local.sessions.remove(self)
            self._stack.close()


@method_of(Tensor, "eval")
def _eval(self: Tensor, feed_dict: Any = None, session: Any = None) -> Any:
    """The tensor's value in a session (the default one)."""
    return (session or default_session("eval")).run(self, feed_dict)


@method_of(Operation, "run")
def _run(self: Operation, feed_dict: Any = None, session: Any = None) -> None:
    """Runs the operation in a session (the default one)."""
    (session or default_session("run")).run(self, feed_dict)


def _eager_eval(self: EagerTensor, feed_dict: Any = None, session: Any = None) -> Any:
    raise NotImplementedError(
        "eval is not supported when eager execution is enabled, is .numpy() what you're looking for?"
    )


EagerTensor.eval = _eager_eval


@public(v1="placeholder")
def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor that each run is fed. shape None: any, even of unknown rank.

    Raises:
      RuntimeError: in eager mode, which has nothing to feed.
    """
    from pullback.core.basics import Placeholder
    from pullback.core.dtypes import as_dtype
    from pullback.core.shape import as_shape

    here = interpreter.current()
    if not isinstance(here, Graph):
        raise RuntimeError("tf.placeholder() is not compatible with eager execution.")
    return here.bind(Placeholder(as_dtype(dtype), as_shape(shape)), (), name)


@public(v1="placeholder_with_default")
def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """A tensor that is `input` unless a run feeds another value, of a shape that fits `shape`.

    Raises:
      ShapeError: the default does not fit the shape.
    """
    from pullback.core.shape import as_shape
    from pullback.ops.math.select import PlaceholderWithDefault

    return PlaceholderWithDefault(as_shape(shape))(input, name=name)
