"""tf.function: Python traced to a Graph once for each kind of arguments, then called as one op."""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from pullback.autograph.calls import callee, converting
from pullback.autograph.public import optional
from pullback.core import interpreter, nest
from pullback.core.config import config
from pullback.core.dtypes import as_dtype, resource
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape, compatible
from pullback.core.signature import array_of
from pullback.core.slices import IndexedSlices
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.ops.control.call import called, computed


@public("TensorSpec")
class TensorSpec:
    """What is known of a tensor: shape, dtype, name."""

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self._spec, self._name = Spec(as_shape(shape), as_dtype(dtype)), name

    @classmethod
    def from_tensor(cls, tensor: Tensor, name: str | None = None) -> TensorSpec:
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        return cls(spec.shape, spec.dtype, name or spec.name)

    @property
    def shape(self) -> TensorShape:
        return TensorShape(self._spec.shape)

    @property
    def dtype(self) -> Any:
        return self._spec.dtype

    @property
    def name(self) -> str | None:
        return self._name

    def is_compatible_with(self, other: Any) -> bool:
        return self.dtype == other.dtype and self.shape.is_compatible_with(other.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and self._spec is other._spec and self._name == other._name

    def __hash__(self) -> int:
        return hash((self._spec, self._name))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self._name!r})"


class ConcreteFunction:
    """One trace: a Graph, and how arguments and results are laid out in it."""

    def __init__(self, graph: Graph, result: Any, structure: Any, variables: list[Any], signature: list[Spec]) -> None:
        self.graph, self._result, self._structure = graph, result, structure
        self._variables = [weakref.ref(v) for v in variables]
        self._signature = signature
        self._outside: list[Any] = [outer for outer, _ in graph.captures.values()]
        self._plain = all(make is next for make in result)  # every leaf of the result is one output
        # (args, kwargs) as they were traced, tensors as TensorSpecs
        self.structured_input_signature: Any = (tuple(TensorSpec(s.shape, s.dtype) for s in signature), {})

    @property
    def inputs(self) -> list[Tensor]:
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[Tensor]:
        return list(self.graph.outputs)

    @property
    def captured_inputs(self) -> list[Tensor]:
        return list(self._outside)

    @property
    def variables(self) -> tuple[Any, ...]:
        return tuple(v for ref in self._variables if (v := ref()) is not None)

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        return tuple(v for v in self.variables if v.trainable)

    @property
    def structured_outputs(self) -> Any:
        return self._rebuilt(self.graph.outputs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        flat = [x for x in nest.leaves_of((args, dict(sorted(kwargs.items())))) if _is_input(x)]
        if len(flat) != len(self._signature):
            raise TypeError(f"the concrete function takes {len(self._signature)} tensors, but {len(flat)} were given")
        tensors = [interpreter.as_tensor(x, spec.dtype) for x, spec in zip(flat, self._signature, strict=True)]
        for t, spec in zip(tensors, self._signature, strict=True):
            if not compatible(t.spec.shape, spec.shape):
                raise ArgumentError(f"the concrete function was traced for {spec}, but {t.spec} was given").locate()
        return self.run(tensors)

    def run(self, tensors: Sequence[Any]) -> Any:
        """Calls the body on flat tensors."""
        here = interpreter.current()
        if not here.tapes and type(here) is interpreter.Eager:
            made = computed(self.graph, [*tensors, *self._outside])
            return nest.unflatten(self._structure, made) if self._plain else self._rebuilt(made)
        for tape in here.tapes:
            for variable in self.variables:
                tape.accessed(variable)
        return self._rebuilt(called(self.graph, [*tensors, *self._outside]))

    def _rebuilt(self, results: Any) -> Any:
        found = iter(results)
        leaves = [make(found) for make in self._result]
        return nest.unflatten(self._structure, leaves)


def _is_input(x: Any) -> bool:
    """Tensors and what stands for an array are inputs; other Python values are part of the trace's key."""
    return isinstance(x, Tensor) or type(x).__module__ == "numpy"


class Function:
    """A Python function that runs as a graph. Made by `tf.function`."""

    def __init__(
        self,
        python_function: Callable[..., Any],
        signature: Any = None,
        reduce_retracing: bool = False,
        autograph: bool = True,
        features: frozenset[str] = frozenset(),
    ) -> None:
        self.python_function, self._relaxes = python_function, bool(reduce_retracing)
        self._conversion = bool(autograph), features
        self.input_signature = None if signature is None else tuple(signature)
        self._traces: dict[Any, ConcreteFunction] = {}
        self._recent: dict[Any, ConcreteFunction] = {}  # by the specs of tensors alone: what most calls need
        self._lock = threading.RLock()
        self._created: list[Any] = []
        self._traced_once = False
        functools.update_wrapper(self, python_function)
        try:
            self._parameters: inspect.Signature | None = inspect.signature(python_function)
        except (TypeError, ValueError):
            self._parameters = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        bound = _bound.setdefault(instance, {}) if _weakly(instance) else {}
        if id(self) not in bound:
            method = functools.partial(_method, weakref.ref(instance), self.python_function)
            made = Function(method, self.input_signature, self._relaxes, *self._conversion)
            made._parameters = _without_self(self._parameters)
            functools.update_wrapper(made, self.python_function)
            bound[id(self)] = made
        return bound[id(self)]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if config.functions_run_eagerly:
            return self.python_function(*args, **kwargs)
        here = interpreter.current()
        key: Any = None
        if not kwargs and self.input_signature is None and type(here) is interpreter.Eager:
            key = tuple([x.spec if type(x) is EagerTensor else None for x in args])
            found = self._recent.get(key)
            if found is not None:
                return found.run(args)
        if not isinstance(here, Graph) and (graph := interpreter._graph_of((*args, *kwargs.values()))) is not None:
            with interpreter.entered(graph):
                return self(*args, **kwargs)
        concrete, tensors = self._specialised(args, kwargs)
        if key is not None and None not in key:
            self._recent[key] = concrete
        return concrete.run(tensors)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for arguments like these; TensorSpecs may stand for tensors."""
        return self._specialised(args, kwargs)[0]

    def experimental_get_tracing_count(self) -> int:
        return len(self._traces)

    def pretty_printed_concrete_signatures(self) -> str:
        return "\n\n".join(repr(c._signature) for c in self._traces.values())

    def _specialised(self, args: Any, kwargs: Any) -> tuple[ConcreteFunction, list[Any]]:
        if kwargs or self.input_signature is not None:
            args, kwargs = self._canonical(args, kwargs)
        if self.input_signature is not None:
            args = tuple([_converted(x, s) for x, s in itertools.zip_longest(args, self.input_signature)])
        flat, structure = nest.flatten((args, kwargs)) if kwargs else nest.flatten(args)
        declared = self._declared(len(flat))
        tensors: list[Any] = []
        key: list[Any] = [structure]
        for x, spec in zip(flat, declared, strict=True):
            if isinstance(x, TensorSpec):
                key.append(x._spec)
                tensors.append(x)
            elif _is_input(x) or spec is not None:
                tensor = x if type(x) is EagerTensor else interpreter.as_tensor(x, None if spec is None else spec.dtype)
                if spec is not None and not (spec.dtype is tensor.dtype and compatible(tensor.spec.shape, spec.shape)):
                    raise TypeError(f"{self.__name__}: {tensor!r} does not fit the input_signature's {spec}")  # type: ignore[attr-defined]
                tensors.append(tensor)
                key.append(
                    spec
                    or Spec(
                        tensor.spec.shape, tensor.spec.dtype, tensor.spec.value if tensor.dtype is resource else None
                    )
                )
            else:
                key.append(_python_key(x))
        here = interpreter.current()
        graph = here if isinstance(here, Graph) else interpreter._graph_of(tuple(tensors))
        whole = (tuple(key), graph.dialect.name if graph is not None else "", id(graph) if graph is not None else 0)
        found = self._traces.get(whole)
        if found is None:
            with self._lock:
                found = self._traces.get(whole) or self._trace(flat, key[1:], structure, bool(kwargs), graph)
                self._traces[whole] = found
        return found, tensors

    def _declared(self, count: int) -> list[Spec | None]:
        """For each argument the Spec that input_signature says."""
        if self.input_signature is None:
            return [None] * count
        specs: list[Spec | None] = [s._spec for s in nest.leaves_of(self.input_signature)]
        if len(specs) > count:
            raise TypeError(f"{self.__name__} has an input_signature of {len(specs)} tensors, but {count} were given")  # type: ignore[attr-defined]
        return specs + [None] * (count - len(specs))

    def _canonical(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Arguments by position as far as they can be, so that f(x, y) and f(x, y=y) share a trace."""
        if self._parameters is None:
            return args, dict(sorted(kwargs.items()))
        bound = self._parameters.bind(*args, **kwargs)
        if self.input_signature is None:
            bound.apply_defaults()
        return bound.args, dict(sorted(bound.kwargs.items()))

    def _trace(self, flat: list[Any], keys: list[Any], structure: Any, keyworded: bool, graph: Any) -> ConcreteFunction:
        outer = graph if graph is not None else interpreter.current()
        body = Graph(outer.dialect, outer, getattr(self.python_function, "__name__", "function"))
        variables = _Accesses()
        specs: list[Spec] = []
        with body.as_default():
            parameters = []
            for x, key in zip(flat, keys, strict=True):
                if isinstance(key, Spec):
                    specs.append(key)
                    parameters.append(body.parameter(key, getattr(x, "_name", None) or "input"))
                else:
                    parameters.append(x)
            arguments = nest.unflatten(structure, parameters)
            args, kwargs = arguments if keyworded else (arguments, {})
            body.tapes = (variables,)
            with converting(*self._conversion):
                result = callee(self.python_function)(*args, **kwargs)
            body.tapes = ()
            leaves, out_structure = nest.flatten(result)
            makers, outputs = [], []
            for y in leaves:
                maker, parts = _result(y)
                makers.append(maker)
                outputs += parts
            body.outputs = [body.adopt(y) for y in outputs]
        made = ConcreteFunction(body, makers, out_structure, list(variables.found.values()), specs)
        said = [
            TensorSpec(key.shape, key.dtype, getattr(x, "_name", None)) if isinstance(key, Spec) else x
            for x, key in zip(flat, keys, strict=True)
        ]
        known = nest.unflatten(structure, said)
        made.structured_input_signature = known if keyworded else (known, {})
        return made


_bound: weakref.WeakKeyDictionary[Any, dict[int, Function]] = weakref.WeakKeyDictionary()


def _weakly(instance: Any) -> bool:
    try:
        weakref.ref(instance)
        hash(instance)
    except TypeError:
        return False
    return True


def _method(instance: Any, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return callee(f)(instance(), *args, **kwargs)


def _without_self(signature: inspect.Signature | None) -> inspect.Signature | None:
    if signature is None:
        return None
    return signature.replace(parameters=list(signature.parameters.values())[1:])


class _Accesses:
    """A tape that notes the variables a body reads."""

    def __init__(self) -> None:
        self.found: dict[int, Any] = {}

    def record(self, op: Any, inputs: Any, results: Any, node: Any) -> None:
        return None

    def watches(self, inputs: Any) -> bool:
        return False

    def accessed(self, variable: Any) -> None:
        self.found.setdefault(id(variable), variable)


def _python_key(x: Any) -> Any:
    """What distinguishes traces for a Python value: type and value, or identity when it does not hash."""
    try:
        hash(x)
    except TypeError:
        return type(x), id(x)
    return type(x), x


def _result(y: Any) -> tuple[Callable[[Any], Any], list[Any]]:
    """How a leaf of the result is made again from the body's outputs, and the tensors it adds to them."""
    if y is None or isinstance(y, Operation):
        return (lambda found: None), []
    if isinstance(y, IndexedSlices):
        dense = y.dense_shape
        if isinstance(dense, Tensor):
            return (lambda found: IndexedSlices(next(found), next(found), next(found))), [y.values, y.indices, dense]
        return (lambda found: IndexedSlices(next(found), next(found), dense)), [y.values, y.indices]
    if hasattr(y, "handle") and not isinstance(y, Tensor) and hasattr(y, "assign"):
        y = interpreter.as_tensor(y)
    if isinstance(y, Tensor):
        return next, [y]
    if isinstance(y, (int, float, complex, bool)) or type(y).__module__ == "numpy":
        return next, [interpreter.as_tensor(y)]
    if isinstance(y, (str, bytes)):
        return next, [interpreter.as_tensor(array_of(y, None))]
    raise TypeError(f"a traced function must return tensors or nests of them, but returned {y!r}")


def _converted(x: Any, declared: Any) -> Any:
    """A list or number where the signature says one tensor."""
    plain = isinstance(declared, TensorSpec) and not isinstance(x, (Tensor, TensorSpec))
    return interpreter.as_tensor(x, declared.dtype) if plain else x


@public("function", v1="function")
def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Makes a Python function run as a graph: traced once for each kind of arguments, then called as one op.

    Args:
      func: the function; without it, the answer is a decorator.
      input_signature: nest of TensorSpec; one trace serves all arguments that fit.
      autograph: converts the function and those it calls, so that control flow on tensors is recorded.
      experimental_autograph_options: a tf.autograph.experimental.Feature, or several.
      jit_compile, experimental_compile: chooses the engine, never results; on this engine both run alike.
      reduce_retracing, experimental_relax_shapes, experimental_*: hints to TensorFlow's runtime; results do not hang on
        them.
    Tensors and NumPy arrays are inputs; other Python values are constants of a trace, and another value makes another.
    Python's `if`, `while` and `for` run while tracing where they decide on Python's values; on tensors they are
    recorded as tf.cond and tf.while_loop.
    """
    if func is None:
        return functools.partial(
            function,
            input_signature=input_signature,
            autograph=autograph,
            jit_compile=jit_compile,
            reduce_retracing=reduce_retracing,
            experimental_autograph_options=experimental_autograph_options,
            experimental_relax_shapes=experimental_relax_shapes,
        )
    features = optional(experimental_autograph_options)
    return Function(func, input_signature, reduce_retracing or bool(experimental_relax_shapes), autograph, features)


@public("config.run_functions_eagerly", v1=None)
def run_functions_eagerly(run_eagerly: bool) -> None:
    """Lets functions run as plain Python, for debugging."""
    config.functions_run_eagerly = bool(run_eagerly)


@public("config.functions_run_eagerly", v1=None)
def functions_run_eagerly() -> bool:
    """Whether functions run as plain Python."""
    return config.functions_run_eagerly
