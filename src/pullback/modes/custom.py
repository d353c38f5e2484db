"""Gradients of the user's own: stop_gradient, custom_gradient, RegisterGradient, gradient_override_map.

`gradient_override_map` binds a rule to nodes as they are made; `custom_gradient` makes a node that carries its rule.
Both are the node's mark, which `backprop` asks before the op.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import GradientError, GradientLookupError
from pullback.core.graph import Graph
from pullback.core.names import method_of, public
from pullback.core.op import REGISTRY
from pullback.core.tensor import EagerTensor, Node, Tensor
from pullback.ops.control.custom import CustomGradient
from pullback.ops.math.select import PreventGradient, StopGradient

_registered: dict[str, Callable[..., Any]] = {}


class Mark:
    """A gradient rule by its registered name, looked up when it is needed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def rule(self) -> Callable[..., Any]:
        """The rule.

        Raises:
          GradientLookupError: no gradient of this name was registered.
        """
        if self.name in _registered:
            return _registered[self.name]
        if self.name in REGISTRY:
            kind: Any = REGISTRY[self.name]
            return lambda node, *dys: kind.grad(node.op, node, *dys)
        raise GradientLookupError(
            f"No gradient is registered under {self.name!r}; the gradient_override_map names it. "
            f'Register one: @tf.RegisterGradient("{self.name}")'
        )


@public("RegisterGradient")
class RegisterGradient:
    """Decorator: registers `f(op, *dys)` as a gradient, under the name gradient_override_map refers to.

    f has op.inputs and op.outputs and answers a tensor or None for each input.

    Raises:
      KeyError: the name is an op type that has its gradient, or is taken.
      TypeError: the name is no string.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._name = op_type

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        if self._name in _registered or self._name in _op_types():
            earlier = _registered.get(self._name)
            where = f" by {earlier.__module__}.{earlier.__qualname__}" if earlier else " for the op of this type"
            raise KeyError(f"Registering two gradients with name {self._name!r}! It is registered already{where}.")
        _registered[self._name] = f
        return f


def _op_types() -> Any:
    from pullback._names import OPS

    return OPS.keys() | REGISTRY.keys()


@public(v1=("NotDifferentiable", "NoGradient", "no_gradient"))
def NotDifferentiable(op_type: str) -> None:
    """Registers that an op type of that name has no gradient: None flows.

    Raises:
      TypeError: the name is no string. KeyError: it is taken.
    """
    RegisterGradient(op_type)(lambda op, *dys: (None,) * len(op.inputs))


public("no_gradient", v1=None)(NotDifferentiable)


@method_of(Graph, "gradient_override_map")
@contextlib.contextmanager
def gradient_override_map(self: Graph, op_type_map: dict[str, str]) -> Iterator[None]:
    """Nodes of these op types, made inside, take the gradient registered under these names.

    Raises:
      TypeError: a key or value is no string.
    """
    if not isinstance(op_type_map, dict):
        raise TypeError("op_type_map must be a dictionary mapping strings to strings")
    for op_type, name in op_type_map.items():
        if not isinstance(op_type, str) or not isinstance(name, str):
            raise TypeError("op_type_map must map strings to strings")
    with self.overriding({op_type: Mark(name) for op_type, name in op_type_map.items()}):
        yield


@public("stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The input itself, taken as a constant by differentiation: its cotangent goes no further. Other paths count."""
    return StopGradient()(input, name=name)


@public("raw_ops.PreventGradient")
def prevent_gradient(input: Any, message: str = "", name: str | None = None) -> Tensor:
    """The input itself; differentiating through it is an error that says `message`."""
    return PreventGradient(message)(input, name=name)


class _OwnRule:
    """The mark of a node that custom_gradient made."""

    __slots__ = ("_rule",)
    name = "CustomGradient"

    def __init__(self, rule: Callable[..., Any]) -> None:
        self._rule = rule

    def rule(self) -> Callable[..., Any]:
        return self._rule


@public("custom_gradient")
def custom_gradient(f: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Decorator: `f(*args)` returns (result, grad_fn), and grad_fn(*dys) gives the cotangents of args.

    The result may be a tensor or a nest. When f reads variables, grad_fn takes `variables=` and returns a pair: the
    cotangents of args, and those of the variables, in order. Eagerly f runs on values; in graphs it is recorded.

    Raises:
      TypeError: f reads variables and grad_fn does not take `variables`.
      ValueError: grad_fn answers another number of cotangents.
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        flat, structure = nest.flatten(args)
        graph = (
            interpreter._graph_of(tuple(flat))
            if not isinstance(interpreter.current(), Graph)
            else interpreter.current()
        )
        if graph is not None and graph is not interpreter.current():
            with graph.as_default():
                return _custom(f, flat, structure, kwargs)
        return _custom(f, flat, structure, kwargs)

    return call


class Listens:
    """A tape that only notes which variables are read."""

    def __init__(self) -> None:
        self.variables: dict[int, Any] = {}

    def record(self, op: Any, inputs: Any, results: Any, node: Any) -> None:
        return None

    def watches(self, inputs: Any) -> bool:
        return False

    def accessed(self, variable: Any) -> None:
        if variable.trainable:
            self.variables.setdefault(id(variable), variable)


def _custom(f: Callable[..., Any], flat: list[Any], structure: Any, kwargs: Any) -> Any:
    here = interpreter.current()
    arguments = [_argument(x) for x in flat]
    listens = Listens()
    tapes = here.tapes
    here.tapes = (*tapes, listens)  # what f computes stays on the tapes: grad_fn may differentiate through it
    try:
        answer = f(*nest.unflatten(structure, arguments), **kwargs)
    finally:
        here.tapes = tapes
    if not isinstance(answer, tuple) or len(answer) != 2 or not callable(answer[1]):
        raise TypeError(
            f"custom_gradient: {f.__name__} must return (result, grad_fn), but returned {type(answer).__name__}"
        )
    result, grad_fn = answer
    outputs, out_structure = nest.flatten(result)
    outputs = [interpreter.as_tensor(y) for y in outputs]
    read = list(listens.variables.values())
    if read and not _takes_variables(grad_fn):
        raise TypeError(
            f"custom_gradient: {f.__name__} reads variables {[v.name for v in read]}, so its grad_fn must take a "
            "keyword `variables` and return (cotangents of args, cotangents of variables)"
        )
    tensors = [x for x in arguments if isinstance(x, Tensor)]
    handles = [v.handle for v in read]
    for tape in here.tapes:
        for variable in read:
            tape.accessed(variable)
    made = _noted(here, tuple(tensors), tuple(handles), outputs, _rule(f, grad_fn, len(tensors), read))
    return nest.unflatten(out_structure, made)


def _argument(x: Any) -> Any:
    """An argument as f sees it: numbers and variables as tensors, other things as they are."""
    return (
        interpreter.as_tensor(x) if x is not None and not isinstance(x, (str, bytes, bool)) and not callable(x) else x
    )


def _takes_variables(grad_fn: Callable[..., Any]) -> bool:
    spec = inspect.getfullargspec(grad_fn)
    return "variables" in spec.args or "variables" in spec.kwonlyargs or spec.varkw is not None


def _rule(f: Callable[..., Any], grad_fn: Callable[..., Any], count: int, read: list[Any]) -> Callable[..., Any]:
    def rule(node: Any, *dys: Any) -> Any:
        answer = grad_fn(*dys, variables=read) if read else grad_fn(*dys)
        dxs, dvs = answer if read else (answer, [])
        flat = [dxs] if not isinstance(dxs, (list, tuple)) else nest.leaves_of(list(dxs))
        if len(flat) != count:
            raise GradientError(
                f"custom_gradient: grad_fn of {f.__name__} gave {len(flat)} cotangents for {count} arguments"
            )
        return (*flat, *([dvs] if not isinstance(dvs, (list, tuple)) else dvs), *(None,) * len(node.outputs))

    return rule


def _noted(here: Any, tensors: Any, handles: Any, outputs: list[Any], rule: Callable[..., Any]) -> list[Any]:
    """Records one node with the rule: IdentityN of the outputs, reading the arguments too so that they connect."""
    op = CustomGradient(len(tensors) + len(handles))
    if isinstance(here, Graph):
        results = here.run(op, (*tensors, *handles, *outputs))
        results[0].node.mark = _OwnRule(rule)
        return list(results)
    results = tuple(EagerTensor(y.spec, y.value) for y in outputs)
    node = _Marked(op, (*tensors, *handles, *outputs), results)
    node.mark = _OwnRule(rule)
    for tape in here.tapes:
        tape.record(op, node.inputs, results, node)
    return list(results)


class _Marked(Node):
    """A Node of eager mode that carries its own rule."""

    __slots__ = ("mark",)


@public("grad_pass_through")
def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """f forward, the identity backward."""

    @custom_gradient
    def passing(*args: Any, **kwargs: Any) -> Any:
        def grad(*dys: Any, **_: Any) -> Any:
            return dys[0] if len(dys) == 1 else dys

        return f(*args, **kwargs), grad

    return passing
