"""Layer: built by its first inputs, called on tensors.

layer(x)  -->  build(x.shape) once  -->  call(x)  -->  y
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any

import numpy as np

from pullback.autograph.calls import traced
from pullback.core import interpreter, nest
from pullback.core.basics import Placeholder
from pullback.core.dtypes import as_dtype
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import TensorShape, as_shape
from pullback.core.tensor import Tensor
from pullback.layers import calls, input_spec, naming, phase, policies
from pullback.layers.sizes import sizes_of
from pullback.layers.weights import Weighted
from pullback.ops.array.conversion import identity
from pullback.ops.math.select import Cast
from pullback.train import regularizers

_ACCEPTED = {
    "input_dim",
    "input_shape",
    "batch_input_shape",
    "batch_size",
    "weights",
    "activity_regularizer",
    "autocast",
    "experimental_autocast",
    "implementation",
}


@public("keras.layers.Layer", v1="keras.layers.Layer")
class Layer(Weighted):
    """Base of layers. A subclass makes its variables in `build(input_shape)` (or `__init__`) by `add_weight`, and says
    `call(inputs)`, which may also take `training` and `mask`.

    Args:
      trainable: whether its variables are trained.
      name: its name; numbered after its class by default.
      dtype: of its variables and calls, or a mixed_precision.Policy or the name of one; the global policy's by default,
        which is float32, or in a session's graph of TensorFlow 1 that of the inputs.
      input_shape, batch_input_shape, input_dim, batch_size: the inputs' shape, from which Sequential builds at once.
      weights: the variables' first values.
      activity_regularizer: a function of the outputs, divided by the batch's size: joins `losses`.
      autocast (formerly experimental_autocast): whether floats that are given are cast to dtype.
      implementation: chooses among ways to compute the same; has no meaning.
    Raises:
      TypeError: an argument is not known.
    """

    supports_masking = False
    settings: tuple[str, ...] = ()  # constructor arguments of the class that are attributes, for get_config
    withheld: tuple[str, ...] = ()  # settings of a class above that its constructor does not take
    _counts_from_zero = True
    _casts_variables = True  # whether `call` reads variables in the type it computes in

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        unknown = set(kwargs) - _ACCEPTED
        if unknown:
            raise TypeError(f"{type(self).__name__}: keyword argument not understood: {sorted(unknown)[0]!r}")
        self._start()
        self._trainable = bool(trainable)
        shown = vars(type(self)).get("shown_name", type(self).__name__)
        self._name = name or naming.numbered(naming.snake(shown), self._counts_from_zero)
        self._policy = policies.policy_of(dtype) if self._follows_policy or dtype is not None else None
        self._dtype: Any = None if self._policy is None else self._policy.variable_dtype
        self.built = False
        self.input_spec: Any = getattr(type(self), "input_spec", None)
        self.stateful = False
        self._autocast = kwargs.get("autocast", kwargs.get("experimental_autocast", True))
        self._initial_weights = kwargs.get("weights")
        self._inbound: list[Any] = []
        self.activity_regularizer = regularizers.get(kwargs.get("activity_regularizer"))
        self._batch_input_shape = _batch_input_shape(kwargs)

    # --- what subclasses say ---------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the variables, for inputs of this shape."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs, of that of the inputs.

        Raises:
          TypeError: something is masked, and the layer does not know of masks.
        """
        if mask is not None and not self.supports_masking and any(m is not None for m in nest.leaves_of(mask)):
            raise TypeError(
                f"Layer {self.name} does not support masking, but was passed an input_mask: {mask!r}; set "
                "supports_masking, or write compute_mask"
            )
        return mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The outputs' shape, of the inputs': found by calling the layer on a symbolic tensor."""
        kind = as_dtype(self._dtype or "float32")
        with Graph(outer=interpreter.eager()).as_default() as scratch:
            made = [_placed(scratch, s, kind) for s in _shapes(input_shape)]
            outputs = self(made if _is_list_of_shapes(input_shape) else made[0])
        return nest.mapped(lambda t: TensorShape(t.spec.shape), outputs)

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        config["dtype"] = self._policy.name if self._policy and self._policy.mixed else self.dtype
        for cls in reversed(type(self).__mro__):
            config.update((key, described(getattr(self, key))) for key in vars(cls).get("settings", ()))
        for key in self.withheld:
            config.pop(key, None)
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = self._batch_input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that a configuration describes, its variables not made."""
        return cls(**config)

    def add_weight_as_set(
        self, kind: str, shape: Any, name: str | None = None, dtype: Any = None, initializer: Any = None
    ) -> Any:
        """A variable by the layer's attributes `<kind>_initializer`, `<kind>_regularizer` and `<kind>_constraint`.

        Args:
          name: of the variable, kind by default. initializer: in place of the attribute.
        """
        return self.add_weight(
            name or kind,
            shape,
            dtype,
            getattr(self, f"{kind}_initializer") if initializer is None else initializer,
            getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    # --- calling ---------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer, after building it for the first inputs."""
        self._require_started()
        args, kwargs = self._with_inputs(args, kwargs)
        with calls.where_inputs_are((args, kwargs)) as here:
            inputs = nest.mapped(as_input, args[0])
            self._settle_dtype(inputs, here)
            inputs = nest.mapped(self._cast, inputs)
            args = (inputs, *args[1:])
            input_spec.check_inputs(self.input_spec, inputs, self.name)
            if calls.inside() is None and not _in_session_graph(here):
                for layer in self._flatten_layers():
                    layer._called_losses = []
            training, args, kwargs, said = self._training(args, kwargs, here)
            given = dict(kwargs)
            kwargs = self._masked(inputs, args, kwargs)
            with self._scope(here) as prefix, calls.calling(self, training, prefix):
                self._maybe_build(inputs)
                outputs = self._called(args, kwargs)
                self._regularize_activity(outputs, here)
                self._note_masks(inputs, outputs, kwargs)
            return self._recorded(here, args, given if said else _without(given, "training"), outputs)

    def _with_inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The first argument in its place, also when given by name."""
        if args:
            return args, kwargs
        first = next(iter(self._call_parameters()), "inputs")
        if first not in kwargs:
            raise ValueError(f'The first argument to `{type(self).__name__}.call` must always be passed: "{first}"')
        return (kwargs.pop(first),), kwargs

    def _settle_dtype(self, inputs: Any, here: Any) -> None:
        if self._dtype is not None:
            return
        first = next((x.dtype for x in nest.leaves_of(inputs) if isinstance(x, Tensor)), None)
        in_v1 = isinstance(here, Graph) and here.dialect.name == "v1"
        self._dtype = first.name if in_v1 and first is not None and first.is_floating else phase.floatx()

    def _cast(self, x: Any) -> Any:
        """Floats in the layer's type, as TensorFlow 2 has them; TensorFlow 1 leaves them."""
        if not self._autocast or not isinstance(x, Tensor) or not x.dtype.is_floating:
            return x
        if x.dialect.name == "v1" and not self._mixed:
            return x
        wanted = as_dtype(self.compute_dtype)
        return Cast(wanted)(x) if wanted.is_floating and x.dtype is not wanted else x

    def _training(self, args: tuple[Any, ...], kwargs: dict[str, Any], here: Any) -> Any:
        """(training, args, kwargs, whether the caller said it): the caller's word, else that of the call around, else
        the learning phase's, else the default of `call`, else False."""
        frame = calls.inside()
        parameters = self._call_parameters()
        if "training" not in parameters:
            said = kwargs.pop("training", None)
            return (said if said is not None else frame.training if frame else None), args, kwargs, said is not None
        at = list(parameters).index("training")
        said = args[at] if at < len(args) else kwargs.get("training")
        if said is not None:
            return said, args, kwargs, True
        value = frame.training if frame else None
        value = self._default_training(parameters["training"], here) if value is None else value
        if at < len(args):
            return value, (*args[:at], value, *args[at + 1 :]), kwargs, False
        return value, args, {**kwargs, "training": value}, False

    def _default_training(self, default: Any, here: Any) -> Any:
        chosen = phase.chosen(here)
        if chosen is not None:
            return chosen
        if default is not None:
            return default
        return phase.learning_phase() if _in_session_graph(here) else False

    def _call_parameters(self) -> dict[str, Any]:
        """{name: default or None} of what `call` takes."""
        return _parameters(type(self).call)

    def _masked(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        parameters = self._call_parameters()
        if "mask" not in parameters or len(args) > list(parameters).index("mask"):
            return kwargs
        if kwargs.get("mask") is not None:
            return {**kwargs, "mask": nest.mapped(_mask_of, kwargs["mask"])}
        found = nest.mapped(calls.masks.of, inputs)
        return {**kwargs, "mask": found} if any(m is not None for m in nest.leaves_of(found)) else kwargs

    def _note_masks(self, inputs: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        mask = kwargs.get("mask", nest.mapped(calls.masks.of, inputs))
        plain = type(self).compute_mask is Layer.compute_mask
        if plain and (not self.supports_masking or all(m is None for m in nest.leaves_of(mask))):
            return
        found = nest.leaves_of(self.compute_mask(inputs, mask))
        flat = [y for y in nest.leaves_of(outputs) if isinstance(y, Tensor)]
        for y, m in zip(flat, found, strict=False):
            calls.masks.note(y, m)

    @contextlib.contextmanager
    def _scope(self, here: Any) -> Any:
        """The names of what the call makes begin with the layer's; gives the prefix of variables made eagerly."""
        frame = calls.inside()
        prefix = f"{frame.prefix if frame else ''}{self.name}/"
        with here.name_scope(self.name) if isinstance(here, Graph) else contextlib.nullcontext():
            yield prefix

    def _maybe_build(self, inputs: Any) -> None:
        if self.built:
            return
        self.build(nest.mapped(lambda x: x.shape if isinstance(x, Tensor) else x, inputs))
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = traced(self.call) if isinstance(interpreter.current(), Graph) else self.call
        kind = as_dtype(self.compute_dtype) if self._mixed and self._casts_variables else None
        if kind is policies.read_as():
            return call(*args, **kwargs)
        with policies.reading_as(kind):
            return call(*args, **kwargs)

    def _regularize_activity(self, outputs: Any, here: Any) -> None:
        if self.activity_regularizer is None:
            return
        with here.name_scope("ActivityRegularizer") if isinstance(here, Graph) else contextlib.nullcontext():
            for y in nest.leaves_of(outputs):
                rows = interpreter.as_tensor(_rows(y), None)
                self.add_loss(self.activity_regularizer(y) / Cast(y.dtype)(rows))

    def _recorded(self, here: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
        """Notes the call where models are cut from calls; outputs that are inputs become tensors of their own."""
        found = calls.history(here)
        if found is None or calls.inside() is not None:
            return outputs
        taken = {id(x) for x in nest.leaves_of((args, kwargs))}
        outputs = nest.mapped(lambda y: _own_tensor(y) if id(y) in taken else y, outputs)
        call = calls.Call(self, args, kwargs, outputs)
        self._inbound.append(call)
        found.calls.update((id(y), call) for y in nest.leaves_of(outputs) if calls.symbolic(y))
        return outputs

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._name

    @property
    def dtype(self) -> str | None:
        """The type of its variables, by name."""
        return self._dtype

    @property
    def compute_dtype(self) -> str | None:
        """The type of its computation and outputs, by name."""
        return self._policy.compute_dtype if self._policy is not None and self._policy.mixed else self._dtype

    @property
    def variable_dtype(self) -> str | None:
        return self._dtype

    @property
    def dtype_policy(self) -> policies.Policy:
        return self._policy or policies.Policy(self._dtype or phase.floatx())

    @property
    def input(self) -> Any:
        """The symbolic inputs of its first call.

        Raises:
          AttributeError: it was not called on symbolic tensors of a model.
        """
        return self._first("input").args[0]

    @property
    def output(self) -> Any:
        """The symbolic outputs of its first call."""
        return self._first("output").outputs

    @property
    def input_shape(self) -> Any:
        return nest.mapped(_plain_shape, self.input)

    @property
    def output_shape(self) -> Any:
        return nest.mapped(_plain_shape, self.output)

    def get_input_at(self, node_index: int) -> Any:
        """The symbolic inputs of one of its calls."""
        return self._inbound[node_index].args[0]

    def get_output_at(self, node_index: int) -> Any:
        """The symbolic outputs of one of its calls."""
        return self._inbound[node_index].outputs

    def _first(self, what: str) -> Any:
        if not self._inbound:
            raise AttributeError(f"Layer {self.name} has no inbound nodes: it has no {what} before a model calls it.")
        return self._inbound[0]

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} object {self.name!r}>"


def described(value: Any) -> Any:
    """An attribute as a configuration holds it: numbers, words, lists and dictionaries."""
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, (list, tuple)):
        return [described(v) for v in value]
    if isinstance(value, TensorShape):
        return value.as_list()
    return value.__name__ if inspect.isfunction(value) else value


@functools.lru_cache(512)
def _parameters(call: Any) -> dict[str, Any]:
    found = list(inspect.signature(call).parameters.values())
    plain = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY, p.POSITIONAL_ONLY)]
    return {p.name: None if p.default is p.empty else p.default for p in plain if p.name != "self"}


def as_input(x: Any) -> Any:
    """Arrays, numbers and what stands for a tensor, as tensors; anything else as it is."""
    if isinstance(x, (np.ndarray, np.generic, float, int)) or hasattr(type(x), "__pullback_tensor__"):
        return interpreter.as_tensor(x)
    return x


def _mask_of(given: Any) -> Any:
    return interpreter.as_tensor(given) if isinstance(given, np.ndarray) else given


def _without(kwargs: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in kwargs.items() if k != name}


def _in_session_graph(here: Any) -> bool:
    return isinstance(here, Graph) and isinstance(here.outermost, Graph)


def _own_tensor(y: Any) -> Any:
    return identity(y) if calls.symbolic(y) else y


def _rows(y: Tensor) -> Any:
    return sizes_of(y)[0]


def _plain_shape(t: Tensor) -> Any:
    return t.spec.shape


def _is_list_of_shapes(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and any(isinstance(s, (list, tuple, TensorShape)) for s in given)


def _shapes(given: Any) -> list[Any]:
    return [as_shape(s) for s in given] if _is_list_of_shapes(given) else [as_shape(given)]


def _placed(graph: Graph, shape: Any, kind: Any) -> Tensor:
    return graph.run(Placeholder(kind, shape), ())[0]


def _batch_input_shape(kwargs: dict[str, Any]) -> Any:
    if kwargs.get("batch_input_shape") is not None:
        return tuple(kwargs["batch_input_shape"])
    inner = kwargs.get("input_shape")
    if inner is None and kwargs.get("input_dim") is not None:
        inner = (kwargs["input_dim"],)
    return None if inner is None else (kwargs.get("batch_size"), *inner)
