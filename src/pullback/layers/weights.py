"""What a layer holds: its variables and those of layers inside it, losses, updates, metrics.

Layers inside are found where they are kept: in attributes, also within lists, tuples and dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import dtypes
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers import policies, values
from pullback.layers.calls import inside
from pullback.modes.default import graph_for, init_scope
from pullback.modes.variable import Variable, VariableAggregation, VariableSynchronization, VariableV1
from pullback.train import initializers, initializers_v1, regularizers
from pullback.train.metric import Mean, Metric

_PLAIN = (str, bytes, int, float, bool, type(None), Tensor)


class Weighted:
    """Base of Layer: its variables.

    trainable: whether its variables count as trainable; given to the layers inside when set.
    """

    name: str
    _dtype: Any
    _policy: policies.Policy | None = None
    _follows_policy = True  # whether the global policy counts
    _trainable: bool

    @property
    def _mixed(self) -> bool:
        """Whether it computes in another type than its variables have."""
        return self._policy is not None and self._policy.mixed

    def _start(self) -> None:
        self._weights: list[Any] = []
        self._penalties: list[tuple[Any, Callable[[], Any]]] = []  # (graph or None, the penalty)
        self._called_losses: list[Any] = []
        self._updates: list[Any] = []

    def _require_started(self) -> None:
        """
        Raises:
          RuntimeError: a subclass did not call its base's constructor.
        """
        if "_updates" not in vars(self):
            kind = type(self).__name__
            raise RuntimeError(f"{kind}: call `super().__init__()` as the first statement in the `__init__()` method")

    # --- making ----------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        **kwargs: Any,
    ) -> Any:
        """A variable of the layer.

        Args:
          name: its name within the layer's. shape: () by default.
          dtype: the layer's by default.
          initializer: a word, a configuration or a callable; Glorot uniform by default, zeros for what is not floating.
          regularizer: a word or a callable; its penalty joins `losses`.
          trainable: whether it is trained; yes by default, not with ON_READ.
          constraint: applied by optimizers after each step.
          use_resource, experimental_autocast, caching_device: have no meaning: variables are of one kind, in one
            memory, and keep their type.
        Raises:
          TypeError: an argument is not known. ValueError: getter, partitioner or collections is given.
        """
        for key, value in kwargs.items():
            if key not in ("getter", "partitioner", "collections", "experimental_autocast", "caching_device"):
                raise TypeError(f"Unknown keyword argument: {key}")
            if key in ("getter", "partitioner", "collections") and value is not None:
                raise ArgumentError(
                    f"add_weight: {key} is for variables by scope; leave it out, or make the layer one of tf.layers"
                ).locate()
        kind = as_dtype(self._dtype or "float32") if dtype is None else as_dtype(dtype)
        sizes = as_shape(()) if shape is None else as_shape(shape)
        graph = graph_for()
        start = starting(initializer, kind, graph)
        with init_scope():
            here = graph_for()
            made = (self._mixed_variable if self._mixed and kind.is_floating else self._variable)(
                here,
                lambda: start(sizes, dtype=kind),
                name=name or "Variable",
                dtype=kind,
                trainable=synchronization is not VariableSynchronization.ON_READ if trainable is None else trainable,
                constraint=constraint,
                synchronization=synchronization,
                aggregation=aggregation,
            )
            self._weights.append(made)
            if regularizer is not None:
                self._penalise(made, regularizers.get(regularizer), here)
        return made

    def _variable(self, here: Any, value: Callable[[], Any], name: str, **settings: Any) -> Any:
        if isinstance(here, Graph):
            made = VariableV1 if here.dialect.name == "v1" else Variable
            return made(value, name=name, **settings)
        frame = inside()
        return Variable(value, name=f"{frame.prefix if frame else ''}{name}", **settings)

    def _mixed_variable(self, here: Any, value: Callable[[], Any], name: str, **settings: Any) -> Any:
        if isinstance(here, Graph):
            made = policies.MixedVariableV1 if here.dialect.name == "v1" else policies.MixedVariable
            return made(value, name=name, **settings)
        frame = inside()
        return policies.MixedVariable(value, name=f"{frame.prefix if frame else ''}{name}", **settings)

    def _penalise(self, variable: Any, regularizer: Callable[[Any], Any], here: Any) -> None:
        if not isinstance(here, Graph):
            self._penalties.append((None, lambda: regularizer(variable)))
            return
        with here.name_scope(f"{variable._shared_name}/Regularizer/"):
            penalty = regularizer(variable)
        if penalty is not None:
            self._penalties.append((here, lambda: penalty))

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """The former name of `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds to what is minimised beside the model's loss.

        Args:
          losses: a tensor, a function without arguments that gives one, or a list of these.
          inputs: has no meaning: TensorFlow 1 wants to know what a loss hangs on, and here the graph says it.
        """
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            if callable(loss) and not isinstance(loss, Tensor):
                self._penalties.append((None, loss))
            elif loss is not None:
                self._note_loss(loss)

    def _note_loss(self, loss: Any) -> None:
        self._called_losses.append(loss)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds what must run beside a training step; eagerly it has run already. inputs has no meaning."""
        for update in updates if isinstance(updates, (list, tuple)) else [updates]:
            if update is not None and isinstance(graph_for(), Graph):
                self._note_update(update)

    def _note_update(self, update: Any) -> None:
        self._updates.append(update)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = None) -> None:
        """Adds a figure that `fit` shows: the mean of value over the steps of an epoch.

        Raises:
          ArgumentError: another aggregation than "mean" is asked for.
        """
        if aggregation not in (None, "mean"):
            raise ArgumentError(f'add_metric: aggregation must be "mean" or None, not {aggregation!r}').locate()
        kept = self.__dict__.setdefault("_added_metrics", {})
        label = name or f"metric_{len(kept)}"
        kept.setdefault(label, Mean(label)).update_state(value)

    # --- what there is ---------------------------------------------------------------------------------------------

    def _sublayers(self) -> list[Any]:
        """The layers kept in attributes, each once."""
        return [x for x in held(self) if isinstance(x, Weighted)]

    def _flatten_layers(self) -> Iterator[Any]:
        """This layer and all inside it, each once."""
        seen: set[int] = set()
        waiting: list[Any] = [self]
        while waiting:
            layer = waiting.pop(0)
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                waiting = [*layer._sublayers(), *waiting]

    def _own(self) -> list[Any]:
        own = {id(v): v for v in self._weights}
        own.update((id(v), v) for v in held(self) if isinstance(v, Variable))
        return list(own.values())

    def _gathered(self, wanted: Callable[[Any, Any], bool]) -> list[Any]:
        """Variables of this layer and those inside, each once; wanted(layer, variable)."""
        found: dict[int, Any] = {}
        for layer in self._flatten_layers():
            found.update((id(v), v) for v in layer._own() if wanted(layer, v))
        return list(found.values())

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Any]:
        return self._gathered(lambda layer, v: v.trainable and layer._trainable) if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self._gathered(lambda layer, v: True) if id(v) not in trained]

    @property
    def weights(self) -> list[Any]:
        """All variables, trainable ones first."""
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def trainable_variables(self) -> list[Any]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        return self.non_trainable_weights

    @property
    def losses(self) -> list[Any]:
        """Penalties of weights, as they are now, and losses added in the last call; of the layers inside too."""
        out: list[Any] = []
        for layer in self._flatten_layers():
            out += layer._called_losses
            out += [penalty() for _, penalty in layer._penalties]
        return out

    @property
    def updates(self) -> list[Any]:
        """What must run beside a training step, in a session's graph; of the layers inside too."""
        return [u for layer in self._flatten_layers() if layer._trainable for u in layer._updates]

    @property
    def metrics(self) -> list[Any]:
        """The metrics kept in attributes, and those that `add_metric` made; of the layers inside too."""
        found: dict[int, Any] = {}
        for layer in self._flatten_layers():
            found.update((id(m), m) for m in held(layer) if isinstance(m, Metric))
        return list(found.values())

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses; which inputs they hang on is not told apart."""
        return self.losses

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates; which inputs they hang on is not told apart."""
        return self.updates

    def get_weights(self) -> list[Any]:
        """The variables' values as arrays."""
        return values.read(self.weights)

    def set_weights(self, weights: Any) -> None:
        """Gives the variables values, in the order of `weights`.

        Raises:
          ValueError: there are too few or too many, or a shape differs.
        """
        mine, given = self.weights, list(weights)
        if len(mine) != len(given):
            raise ValueError(
                f'set_weights: layer "{self.name}" has {len(mine)} weights, but {len(given)} values were given'
            )
        values.write(zip(mine, given, strict=True))

    def count_params(self) -> int:
        """How many numbers the variables hold."""
        return sum(int(v.shape.num_elements() or 0) for v in self.weights)


def starting(initializer: Any, kind: Any, graph: Any) -> Callable[..., Any]:
    """The initializer that stands for what was given; by default by type."""
    if initializer is None:
        initializer = "glorot_uniform" if kind.is_floating or kind.is_complex else "zeros"
    v1 = isinstance(graph, Graph) and graph.dialect.name == "v1"
    found = (initializers_v1 if v1 else initializers).get(initializer)
    if isinstance(found, Variable | Tensor) or not callable(found):
        raise ArgumentError(f"add_weight: {initializer!r} is no initializer; give a word or a callable").locate()

    def start(sizes: Any, dtype: Any = dtypes.float32) -> Any:
        try:
            return found(sizes, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            return found(sizes)

    return start


def held(owner: Any) -> Iterator[Any]:
    """What is kept in an object's attributes, lists and dictionaries taken apart."""
    waiting = list(reversed([x for key, x in vars(owner).items() if key not in _OUTSIDE]))
    while waiting:
        x = waiting.pop()
        if isinstance(x, _PLAIN):
            continue
        if isinstance(x, (list, tuple)):
            waiting += reversed(x)
        elif isinstance(x, dict):
            waiting += reversed(list(x.values()))
        else:
            yield x


# Attributes that hold what is not part of the layer.
_OUTSIDE = frozenset(["_penalties", "_called_losses", "_updates", "_inbound", "_weights"])
