"""The traces of the functions that a model is saved with: their signatures with names, results, and what they bind."""

from __future__ import annotations

import collections
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.dtypes import resource
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.tensor import Tensor
from pullback.modes.function import ConcreteFunction, Function, TensorSpec
from pullback.ops.random.draws import STREAM
from pullback.saved_model import structured
from pullback.saved_model.restored import RestoredFunction

_FullArgSpec = collections.namedtuple(
    "FullArgSpec", ["args", "varargs", "varkw", "defaults", "kwonlyargs", "kwonlydefaults", "annotations"]
)
FUNCTIONS = (Function, RestoredFunction)


class Trace:
    """One trace, ready to be written.

    body: its graph, without the streams of random draws, which are written as seeds.
    bound: the tensors outside that stand for its last inputs.
    inputs: (args, kwargs), tensors as named TensorSpecs. outputs: what it gives, likewise.
    """

    def __init__(self, concrete: ConcreteFunction, inputs: Any, name: str) -> None:
        self.concrete, self.inputs = concrete, inputs
        self.outputs = _outputs(concrete, name)
        self.body, self.bound = _without_streams(concrete, name)


def _outputs(concrete: ConcreteFunction, name: str) -> Any:
    specs = [TensorSpec(t.spec.shape, t.dtype) for t in concrete.graph.outputs]
    try:
        found = concrete._rebuilt(specs)
        structured.encoded(found)
    except (TypeError, ValueError, AttributeError) as error:
        raise ArgumentError(
            f"saved_model.save: function {name!r} returns what no saved model holds: {error}; return dense tensors, in "
            "lists, tuples or dicts with words as keys"
        ).locate() from None
    return found


def _without_streams(concrete: ConcreteFunction, name: str) -> tuple[Graph, list[Any]]:
    graph, bound = concrete.graph, concrete.captured_inputs
    own = len(graph.inputs) - len(bound)
    drawn = {id(n.inputs[0]) for n in graph.nodes if n.op.type == "DrawCounter"}
    others = {id(t) for n in graph.nodes if n.op.type != "DrawCounter" for t in n.inputs}
    body = graph.with_outputs(graph.outputs)
    body.name = f"__inference_{name.strip('_') or 'function'}"
    pairs = [
        (t, inside)
        for t, inside in zip(bound, graph.inputs[own:], strict=True)
        if not (is_stream(t) and id(inside) in drawn - others)
    ]
    body.inputs = [*graph.inputs[:own], *[inside for _, inside in pairs]]
    return body, [t for t, _ in pairs]


def is_stream(t: Any) -> bool:
    """Whether a tensor is the handle of a stream of random draws."""
    return t.dtype is resource and t.spec.value is STREAM


def traces_of(function: Any, name: str) -> list[Trace]:
    """The traces of a function, made now where its input_signature says the only one. Those whose arguments no file
    holds are left out, with a warning."""
    if isinstance(function, ConcreteFunction):
        return [Trace(function, _named(function.structured_input_signature, None, name), name)]
    if isinstance(function, RestoredFunction):
        return [Trace(c, c.structured_input_signature, name) for c in function.concrete_functions]
    if function.input_signature is not None and not function._traces:
        function.get_concrete_function(*function.input_signature)
    return list(_written_traces(function, name))


def _written_traces(function: Function, name: str) -> Iterator[Trace]:
    seen = set()
    for key, concrete in function._traces.items():
        if key[2] or id(concrete) in seen:  # of a graph, whose values are a session's
            continue
        seen.add(id(concrete))
        inputs = _named(concrete.structured_input_signature, function._parameters, name)
        try:
            structured.encoded(inputs)
        except structured.Unwritable as error:
            warnings.warn(f"saved_model.save: a trace of {name!r} is left out: {error}", stacklevel=6)
            continue
        yield Trace(concrete, inputs, name)


def _named(inputs: Any, parameters: inspect.Signature | None, name: str) -> Any:
    """(args, kwargs) with all defaults, tensors named after their parameters."""
    args, kwargs = inputs
    if parameters is not None:
        bound = parameters.bind(*args, **kwargs)
        bound.apply_defaults()
        args, kwargs = tuple(bound.args), dict(bound.kwargs)
        names: list[str] = []
        for parameter in parameters.parameters.values():
            names += [parameter.name] if parameter.kind is not parameter.VAR_POSITIONAL else []
    else:
        names = []
    named = [_with_names(x, names[i] if i < len(names) else f"input_{i + 1}") for i, x in enumerate(args)]
    return tuple(named), {key: _with_names(x, key) for key, x in kwargs.items()}


def _with_names(value: Any, name: str) -> Any:
    leaves, structure = nest.flatten(value)
    made = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, TensorSpec):
            leaf = TensorSpec(leaf.shape, leaf.dtype, leaf.name or (name if len(leaves) == 1 else f"{name}_{i}"))
        made.append(leaf)
    return nest.unflatten(structure, made)


def full_arg_spec(function: Any) -> Any:
    """A function's parameters as TensorFlow's files say them: names, defaults, what takes the rest."""
    parameters = function._parameters
    found = list(parameters.parameters.values()) if parameters is not None else []
    if parameters is None:
        return _FullArgSpec([], "args", "kwargs", None, [], None, {})

    def of(*kinds: Any) -> list[Any]:
        return [p for p in found if p.kind in kinds]

    plain = of(inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    only = of(inspect.Parameter.KEYWORD_ONLY)
    defaults = tuple(p.default for p in plain if p.default is not p.empty)
    last = {p.name: p.default for p in only if p.default is not p.empty}
    rest, named = of(inspect.Parameter.VAR_POSITIONAL), of(inspect.Parameter.VAR_KEYWORD)
    return _FullArgSpec(
        [p.name for p in plain],
        rest[0].name if rest else None,
        named[0].name if named else None,
        defaults or None,
        [p.name for p in only],
        last or None,
        {},
    )


# --- signatures ----------------------------------------------------------------------------------------------------


def signature_traces(signatures: Any) -> dict[str, Trace]:
    """The traces of signatures: each takes named tensors and gives a dict of tensors.

    Args:
      signatures: {name: function}, or one function, which is "serving_default".
    Raises:
      ValueError: one is no tf.function with an input_signature or a single trace, or does not take and give tensors.
    """
    if not isinstance(signatures, dict):
        signatures = {"serving_default": signatures}
    return {key: _signature_trace(key, found) for key, found in signatures.items()}


def _signature_trace(key: str, given: Any) -> Trace:
    if not isinstance(given, (ConcreteFunction, *FUNCTIONS)):
        raise ValueError(
            f"Expected a TensorFlow function for which to generate a signature, but got {given!r}. Only `tf.functions` "
            "with an input signature or concrete functions can be used as a signature."
        )
    found = traces_of(given, key)
    if len(found) != 1:
        raise ValueError(
            f"signature {key!r}: the function has {len(found)} traces. Give it an input_signature, or pass "
            "function.get_concrete_function(tf.TensorSpec(...))"
        )
    inner = found[0]
    specs = nest.leaves_of(inner.inputs)
    tensors = [s for s in specs if isinstance(s, TensorSpec)]
    names = [str(s.name) for s in tensors]
    if len(set(names)) < len(names):
        raise ValueError(f"signature {key!r}: its tensors are named {names}; give TensorSpecs names that differ")

    def signature_wrapper(**kwargs: Any) -> dict[str, Tensor]:
        return _as_dict(key, inner.concrete.run([kwargs[n] for n in names]))

    signature_wrapper.__name__ = f"signature_wrapper_{key}"
    wrapped = Function(signature_wrapper)
    wrapped._parameters = None
    with interpreter.entered(interpreter.eager()):
        concrete = wrapped.get_concrete_function(**{s.name: s for s in tensors})  # type: ignore[misc]
    inputs = (), {s.name: s for s in sorted(tensors, key=lambda s: s.name or "")}
    made = Trace(concrete, inputs, f"signature_wrapper_{key}")
    made.outputs = {n: TensorSpec(s.shape, s.dtype, n) for n, s in made.outputs.items()}
    return made


def _as_dict(key: str, result: Any) -> dict[str, Tensor]:
    """A result as {name: tensor}.

    Raises:
      ValueError: it is no tensor, list of tensors, or dict of words to tensors.
    """
    if isinstance(result, Tensor):
        return {"output_0": result}
    if isinstance(result, (list, tuple)):
        result = {f"output_{i}": t for i, t in enumerate(result)}
    if not isinstance(result, dict) or not all(isinstance(t, Tensor) and isinstance(n, str) for n, t in result.items()):
        raise ValueError(
            f"Got a dictionary or nest {result!r} for signature {key!r}: outputs must be a tensor, a flat list of "
            "them, or a dict from words to tensors"
        )
    return dict(result)
