"""tf.layers.Layer: layers whose variables `get_variable` makes, under a variable scope of the layer's name.

variable_scope("dense") -> dense/kernel, dense/bias; a second layer's is dense_1; `reuse` and given scopes share
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.layers import base, calls, naming
from pullback.layers.weights import starting
from pullback.modes.default import GraphKeys, building, graph_for
from pullback.modes.partitioned import PartitionedVariable
from pullback.modes.scopes import get_variable, get_variable_scope, variable_scope
from pullback.modes.variable import VariableAggregation, VariableSynchronization


@public(v1="layers.Layer")
class Layer(base.Layer):
    """Base of tf.layers. Regularization losses join REGULARIZATION_LOSSES, updates join UPDATE_OPS.

    Args:
      trainable: whether its variables join TRAINABLE_VARIABLES.
      name: its name, and that of its variable scope; made unique after its class by default.
      dtype: of its variables; that of the first inputs by default.
    """

    _counts_from_zero = False
    _follows_policy = False

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        self._reuse, self._given_scope = kwargs.pop("_reuse", None), kwargs.pop("_scope", None)
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)
        self._base_name = name or naming.snake(type(self).__name__)
        self._variable_scope: Any = None
        if self._given_scope is not None and not isinstance(self._given_scope, str):
            self._settle_scope(self._given_scope)

    # --- scopes ----------------------------------------------------------------------------------------------------

    def _settle_scope(self, scope: Any = None) -> None:
        """Opens the layer's variable scope, once."""
        if self._variable_scope is not None:
            return
        given = scope if scope is not None else self._given_scope
        if given is not None or self._reuse:
            opened = variable_scope(given if given is not None else self._base_name, reuse=self._reuse)
        else:
            opened = variable_scope(None, default_name=self._base_name)
        with opened as self._variable_scope:
            pass

    @property
    def scope_name(self) -> str:
        """The name of its variable scope.

        Raises:
          ValueError: it was not called yet.
        """
        if self._variable_scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been used yet. '
                "The scope name is determined the first time the layer instance is called. You must therefore call "
                "the layer before querying `scope_name`."
            )
        return self._variable_scope.name

    @property
    def graph(self) -> Any:
        """The graph it was built in; None before, and eagerly."""
        return self._weights[0]._graph if self._weights else None

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer."""
        return self(inputs, *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer under its variable scope. scope: in place of its own, where it has none yet."""
        given = kwargs.pop("scope", None) if "scope" not in self._call_parameters() else None
        with calls.where_inputs_are((inputs, args, kwargs)), building():
            self._settle_scope(given)
            reuse = True if self.built else self._reuse
            with variable_scope(self._variable_scope, reuse=reuse, auxiliary_name_scope=False):
                return super().__call__(inputs, *args, **kwargs)

    @contextlib.contextmanager
    def _scope(self, here: Any) -> Any:
        name = self._variable_scope.original_name_scope if isinstance(here, Graph) else ""
        with here.name_scope(name) if name else contextlib.nullcontext():
            yield ""

    def _default_training(self, default: Any, here: Any) -> Any:
        return False if default is None else default

    # --- variables -------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A variable of the layer, by `get_variable` under the layer's scope. See `keras.layers.Layer.add_weight`."""
        kind = as_dtype(self._dtype or "float32") if dtype is None else as_dtype(dtype)
        self._settle_scope()
        trained = synchronization is not VariableSynchronization.ON_READ if trainable is None else trainable
        reuse = True if self.built else self._reuse
        with building(), variable_scope(self._variable_scope, reuse=reuse, auxiliary_name_scope=False):
            if initializer is None:
                initializer = get_variable_scope().initializer
            made = get_variable(
                name,
                shape,
                kind,
                starting(initializer, kind, graph_for()),
                self._noted(regularizer),
                trained and self._trainable,
                partitioner=partitioner,
                constraint=constraint,
                use_resource=use_resource,
                synchronization=synchronization,
                aggregation=aggregation,
                **kwargs,
            )
        parts = list(made) if isinstance(made, PartitionedVariable) else [made]
        self._weights += [part for part in parts if all(part is not v for v in self._weights)]
        return made

    def _noted(self, regularizer: Any) -> Any:
        """The regularizer, noting its penalties as the layer's; get_variable asks it of new variables only."""
        chosen = get_variable_scope().regularizer if regularizer is None else regularizer
        if chosen is None:
            return None

        def penalised(variable: Any) -> Any:
            penalty = chosen(variable)
            if penalty is not None:
                self._penalties.append((None, lambda: penalty))
            return penalty

        return penalised

    def _note_loss(self, loss: Any) -> None:
        super()._note_loss(loss)
        self._collect(GraphKeys.REGULARIZATION_LOSSES, loss)

    def _note_update(self, update: Any) -> None:
        super()._note_update(update)
        self._collect(GraphKeys.UPDATE_OPS, update)

    @staticmethod
    def _collect(key: str, value: Any) -> None:
        here = interpreter.current()
        if isinstance(here, Graph):
            here.add_to_collection(key, value)


_PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _plain(name: str, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, _PLAIN, default=default)


def scoped(cls: type, module: str, without: tuple[str, ...] = (), trains: bool = True, **defaults: Any) -> Any:
    """A class of tf.layers: the layer `cls` with variables by scope.

    Its arguments are cls's less `without`, with TensorFlow 1's `defaults`; then trainable (if it `trains`), name and
    **kwargs.
    """
    found = [p for p in list(inspect.signature(cls.__init__).parameters.values())[1:] if p.kind is _PLAIN]
    shown = [p.replace(default=defaults.get(p.name, p.default)) for p in found if p.name not in without]
    if all(p.name != "name" for p in shown):
        shown += [*([_plain("trainable", True)] if trains else []), _plain("name", None)]
    signature = inspect.Signature([*shown, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        more = bound.arguments.pop("kwargs")
        cls.__init__(self, **bound.arguments, **more)

    __init__.__signature__ = signature.replace(parameters=[_plain("self"), *signature.parameters.values()])  # type: ignore[attr-defined]
    body = {"__init__": __init__, "__module__": module, "__doc__": cls.__doc__, "__qualname__": cls.__name__}
    return type(cls.__name__, (cls, Layer), body)


def functional(cls: Any, name: str, called: tuple[str, ...] = (), after: str | None = None) -> Any:
    """The function of tf.layers that makes a layer of this class and calls it.

    Its arguments are inputs and the class's; behind `after` (at the end by default) those that the call takes
    (`called`), trainable, name, and reuse where there are variables.
    """
    own = [p for p in inspect.signature(cls).parameters.values() if p.kind is _PLAIN]
    tail = [p for p in own if p.name in ("trainable", "name")]
    shared = len(tail) == 2
    tail = [*[_plain(word, False) for word in called], *tail, *([_plain("reuse", None)] if shared else [])]
    first = [p for p in own if p.name not in ("trainable", "name")]
    at = len(first) if after is None else next(i for i, p in enumerate(first) if p.name == after) + 1
    signature = inspect.Signature([_plain("inputs"), *first[:at], *tail, *first[at:]])

    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        inputs = given.pop("inputs")
        asked = {word: given.pop(word) for word in called if word in given}
        if shared:
            given["_reuse"], given["_scope"] = given.pop("reuse", None), given.get("name")
        return cls(**given)(inputs, **asked)

    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__name__ = call.__qualname__ = name
    call.__module__ = cls.__module__
    call.__doc__ = f"{(cls.__doc__ or '').splitlines()[0]} Makes a `layers.{cls.__name__}` and calls it on inputs."
    return call
