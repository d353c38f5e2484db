"""A step of training as tensors: loss, gradients, metrics. What `fit` traces, and what models override."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.layers import values
from pullback.modes.gradients import gradients
from pullback.modes.tape import GradientTape
from pullback.networks.batches import unpacked
from pullback.networks.objectives import Losses, Metrics, examples_in, flat
from pullback.train.optimizer_v2 import OptimizerV2


def in_session() -> bool:
    """Whether a session's graph is being built."""
    here = interpreter.current()
    return isinstance(here, Graph) and isinstance(here.outermost, Graph)


class Stepped:
    """What a model knows of one step. A mixin of Model; `compile` gives it losses, metrics and the optimizer."""

    optimizer: Any
    _losses: Losses | None
    _metrics: Metrics | None

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training over (x, y, sample_weight) as tensors; gives the metrics. May be overridden."""
        x, y, w = unpacked(data)
        with GradientTape() as tape:
            p = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, p, w)
            if isinstance(self.optimizer, OptimizerV2):
                loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        grads = gradients(loss, [v for v in variables]) if in_session() else tape.gradient(loss, variables)
        self.optimizer.apply_gradients([(g, v) for g, v in zip(grads, variables, strict=True) if g is not None])
        return self.compute_metrics(x, y, p, w)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The metrics of a batch. May be overridden."""
        x, y, w = unpacked(data)
        p = self(x, training=False)  # type: ignore[operator]
        self.compute_loss(x, y, p, w)
        return self.compute_metrics(x, y, p, w)

    def predict_step(self, data: Any) -> Any:
        """The outputs of a batch. May be overridden."""
        return self(unpacked(data)[0], training=False)  # type: ignore[operator]

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """The loss: of the outputs, and the layers' own.

        Raises:
          ValueError: there is none.
        """
        losses: Any = self._losses
        ps = nest.leaves_of(y_pred)
        losses.build(self._names_of_outputs(y_pred))
        total = losses(self._matched(y, y_pred), ps, self._weights_for(sample_weight, y_pred))
        for own in self.losses:  # type: ignore[attr-defined]
            total = own if total is None else total + own
        if total is None:
            raise ArgumentError(
                "The model cannot be compiled because it has no loss to optimize: give compile a loss, or add_loss"
            ).locate()
        losses.total.update_state(total, examples_in(ps[0]))
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Counts a batch into the metrics; gives them all by name."""
        metrics: Any = self._metrics
        ps = nest.leaves_of(y_pred)
        ys = self._matched(y, y_pred)
        metrics.build(self._names_of_outputs(y_pred), ys, ps)
        metrics.update(ys, ps, self._weights_for(sample_weight, y_pred))
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The metrics by name."""
        out: dict[str, Any] = {}
        for metric in self.metrics:
            found = metric.result()
            out.update(found if isinstance(found, dict) else {metric.name: found})
        return out

    @property
    def metrics(self) -> list[Any]:
        """The loss's means, the metrics of compile, and those of the layers."""
        own = super().metrics  # type: ignore[misc]
        compiled = [*self._losses.metrics, *self._metrics.all] if self._losses and self._metrics else []
        return list({id(m): m for m in (*compiled, *own)}.values())

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Forgets what the metrics counted."""
        with self._home() as here:  # type: ignore[attr-defined]
            if not in_session():
                for metric in self.metrics:
                    metric.reset_state()
                return
            held = [v for m in self.metrics for v in m.variables if v._graph is here]
            values.started(values.session_of(here), held)
            values.write((v, np.zeros(v.shape.as_list())) for v in held)

    def _names_of_outputs(self, y_pred: Any) -> list[str]:
        if isinstance(y_pred, dict):
            return sorted(y_pred)
        names = self.output_names  # type: ignore[attr-defined]
        count = len(nest.leaves_of(y_pred))
        return names if len(names) == count else [f"output_{i + 1}" for i in range(count)]

    def _matched(self, y: Any, y_pred: Any) -> list[Any]:
        """Labels in the order of the outputs."""
        names = self._names_of_outputs(y_pred)
        if isinstance(y, dict):
            return _by_name(y, names, "labels")
        found = flat(y, len(names))
        if len(found) != len(names):
            raise ArgumentError(f"{len(found)} labels were given for {len(names)} outputs, {names}").locate()
        return found

    def _weights_for(self, w: Any, y_pred: Any) -> list[Any]:
        names = self._names_of_outputs(y_pred)
        if isinstance(w, dict):
            return _by_name(w, names, "sample weights")
        return nest.leaves_of(w) if nest.is_nest(w) else [w] * len(names)


def _by_name(given: dict[str, Any], names: list[str], what: str) -> list[Any]:
    """What is given for each output, None where nothing is.

    Raises:
      ValueError: a name is none of an output.
    """
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ArgumentError(f"{what} were given for {unknown}, but the outputs are {names}").locate()
    return [given.get(name) for name in names]
