"""What a saved model becomes when it is loaded: objects with attributes, functions of the traces in the file."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.shape import compatible
from pullback.core.tensor import Tensor
from pullback.modes.function import ConcreteFunction, TensorSpec
from pullback.modes.variable import Variable


class LoadedObject:
    """An object of a saved model. Its attributes are those it was saved with: variables, functions, other objects."""

    _held: dict[str, Any]

    def __init__(self) -> None:
        self.__dict__["_held"] = {}

    def _trackable_children(self) -> dict[str, Any]:
        return dict(self.__dict__["_held"])

    def __setattr__(self, name: str, value: Any) -> None:
        self._held[name] = value
        object.__setattr__(self, name, value)

    @property
    def __call__(self) -> Any:
        """The function it was saved with as `__call__`.

        Raises:
          AttributeError: there is none, so that the object cannot be called.
        """
        held = self.__dict__["_held"]
        if "__call__" not in held:
            raise AttributeError(
                f"the loaded object has no `__call__`: it was saved without a traced one. It has {sorted(held)}; its "
                "signatures are in .signatures"
            )
        return held["__call__"]

    def __repr__(self) -> str:
        return f"<loaded object with {', '.join(sorted(self.__dict__['_held'])) or 'nothing'}>"


class SignatureMap(dict[str, Any]):
    """Name -> function of named tensors that gives a dict of tensors."""

    def __repr__(self) -> str:
        return f"_SignatureMap({dict(self)!r})"


class LoadedConcrete(ConcreteFunction):
    """One trace of a saved function.

    Args:
      inputs: (args, kwargs) as it was traced, tensors as TensorSpecs.
      outputs: what it gives, tensors as TensorSpecs.
      bound: the tensors that stand for its last inputs.
    """

    def __init__(self, graph: Any, inputs: Any, outputs: Any, bound: Sequence[Tensor], variables: list[Any]) -> None:
        count = len(graph.inputs) - len(bound)
        for t, inside in zip(bound, graph.inputs[count:], strict=True):
            graph.captures[id(t)] = t, inside
        leaves, structure = nest.flatten(outputs)
        makers = [next if isinstance(leaf, TensorSpec) else _constant(leaf) for leaf in leaves]
        super().__init__(graph, makers, structure, variables, [t.spec for t in graph.inputs[:count]])
        self.structured_input_signature = inputs
        self._outside = list(bound)
        self._variables = [lambda v=v: v for v in variables]  # the file's objects may be all that holds them

    def _function_name(self) -> str:
        return self.graph.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        wanted_args, wanted_kwargs = self.structured_input_signature
        names = list(wanted_kwargs)
        if args and not wanted_args:  # a signature, whose tensors have names
            kwargs = {**dict(zip(names, args, strict=False)), **kwargs}
            args = ()
        if not args and wanted_args and not wanted_kwargs:
            named = [str(getattr(s, "name", "")) for s in wanted_args]
            if set(named) == set(kwargs):
                args, kwargs = tuple(kwargs[n] for n in named), {}
        if set(kwargs) != set(names):
            raise TypeError(
                f"signature_wrapper({', '.join(f'{n}: {wanted_kwargs[n]}' for n in names)}) got the arguments "
                f"{sorted(kwargs)}; it needs {names}"
            )
        matched = _matched((args, kwargs), self.structured_input_signature, True)
        if matched is None:
            raise ArgumentError(
                f"the function was saved for {self.structured_input_signature}, but {_shown((args, kwargs))} was given"
            ).locate()
        return self.run(matched)


def _constant(value: Any) -> Any:
    return lambda found: value


def _matched(given: Any, wanted: Any, converts: bool) -> list[Any] | None:
    """The tensors of arguments that fit a trace; None where they do not."""
    if converts and len(given[0]) == len(wanted[0]):  # lists of numbers that stand for one tensor
        given = tuple(_whole(x, spec) for x, spec in zip(given[0], wanted[0], strict=True)), given[1]
    leaves, structure = nest.flatten(given)
    specs, declared = nest.flatten(wanted)
    if structure != declared or len(leaves) != len(specs):
        return None
    tensors = []
    for x, spec in zip(leaves, specs, strict=True):
        if not isinstance(spec, TensorSpec):
            if isinstance(x, (Tensor, Variable)) or type(x) is not type(spec) or x != spec:
                return None
            continue
        if isinstance(x, Variable) or (converts and not isinstance(x, (Tensor, TensorSpec, str)) and x is not None):
            try:
                x = interpreter.as_tensor(x, spec.dtype)
            except (TypeError, ValueError):
                return None
        if not isinstance(x, (Tensor, TensorSpec)) or x.dtype is not spec.dtype:
            return None
        have = x._spec.shape if isinstance(x, TensorSpec) else x.spec.shape
        if not compatible(have, spec._spec.shape):
            return None
        tensors.append(x)
    return tensors


def _whole(x: Any, spec: Any) -> Any:
    listed = isinstance(spec, TensorSpec) and isinstance(x, (list, tuple))
    try:
        return interpreter.as_tensor(x, spec.dtype) if listed else x
    except (TypeError, ValueError):
        return x


def _shown(given: Any) -> str:
    return str(nest.mapped(lambda x: f"{x.dtype.name}{x.shape}" if isinstance(x, Tensor) else repr(x), given))


class RestoredFunction:
    """A function of a saved model: the traces of the file and no Python code, so it takes what one of them takes.

    Args:
      concrete: its traces. signature: its parameters; None where the file does not say them.
      name: for errors.
    """

    def __init__(
        self, concrete: Sequence[LoadedConcrete], signature: inspect.Signature | None, name: str, input_signature: Any
    ) -> None:
        self.concrete_functions, self._parameters, self._name = list(concrete), signature, name
        self.input_signature = input_signature
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found, tensors = self._found(args, kwargs)
        return found.run(tensors)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> LoadedConcrete:
        """The trace for arguments like these; TensorSpecs may stand for tensors. Without arguments, the only one."""
        if not args and not kwargs and len(self.concrete_functions) == 1:
            return self.concrete_functions[0]
        return self._found(args, kwargs)[0]

    def _canonical(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        if self._parameters is None:
            return args, kwargs
        bound = self._parameters.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def _found(self, args: Any, kwargs: Any) -> tuple[LoadedConcrete, list[Any]]:
        try:
            given = self._canonical(tuple(args), kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}: {error}") from None
        for converts in (False, True):
            for concrete in self.concrete_functions:
                tensors = _matched(given, concrete.structured_input_signature, converts)
                if tensors is not None:
                    return concrete, tensors
        options = "\n\n".join(
            f"Option {i}:\n  {c.structured_input_signature}" for i, c in enumerate(self.concrete_functions, 1)
        )
        raise ArgumentError(
            f"Could not find matching concrete function to call loaded from the SavedModel. Got: {_shown(given)}\n\n"
            f"Expected these arguments to match one of the following {len(self.concrete_functions)} option(s):\n\n"
            f"{options}\n\n{self._name} has only these traces: save the model with a trace for such arguments"
        ).locate()

    def __repr__(self) -> str:
        return f"<restored function {self._name} with {len(self.concrete_functions)} traces>"
