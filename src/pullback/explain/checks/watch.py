"""Watching training: every variable's gradient at every step, and which layers vanish or explode, since when.

    TensorFlow 1    watch = watch_gradients(optimizer.compute_gradients(loss))
                    watch.run(session, train, feed_dict)           in the place of session.run
    TensorFlow 2    watch = watch_gradients()
                    gradients = tape.gradient(loss, variables, on_step=watch.on_step)
                    watch.apply(optimizer, zip(gradients, variables))

What is measured: the gradient's norm, its largest entry, how many entries are zero, a histogram of magnitudes by tenth
powers, and the update's norm over the weight's. A layer *vanishes* where its norm is less than `vanishing` of the
largest among the layers that do not explode; it *explodes* where its norm exceeds `exploding`, or is no number. A unit
behind a relu is *dead* when it answered nothing but zero for `patience` steps.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core import interpreter
from pullback.core.errors import ArgumentError, StaticOnly
from pullback.core.graph import ancestors
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import EagerTensor, Tensor
from pullback.explain.checks.findings import Finding, Judge, Limits
from pullback.explain.checks.watch_events import event_of
from pullback.explain.see.order import channels_first, kept_from, last, takes_first
from pullback.io.events import EventFile
from pullback.ops.nn.activation import Relu, Relu6

# Nonlinearities that answer 0 to all that is negative, and pass no gradient there.
CUTTING: tuple[type, ...] = (Relu, Relu6)
# Histograms count magnitudes from 1e-12 to 1e12, a bin a tenth power; smaller and larger ones fall in the outer bins.
DECADES = np.arange(-12, 13)
# Steps of which readings are kept; beyond it every second one is dropped. Findings miss none.
MOST_KEPT = 2048


@dataclass(frozen=True, slots=True)
class Reading:
    """One variable at one step.

    norm: of its gradient; NaN where that holds NaN; None where there is no gradient. largest: its largest magnitude.
    zeros: share of its entries that are zero. weight: the variable's norm before the update.
    ratio: norm of the update over that norm; None where no update was seen.
    histogram: how many entries have a magnitude of each tenth power, [len(DECADES) - 1].
    """

    norm: float | None
    largest: float
    zeros: float
    weight: float
    ratio: float | None
    histogram: NDArray[np.int64]


@dataclass
class _Relu:
    """A relu that a tape passed. first: its channels stand first. origin: the tensor whose maker tells that, held so
    that its id stays its own."""

    kind: str
    result: EagerTensor
    first: bool = False
    origin: Any = None


class GradientWatch:
    """The record of a training. Made by `watch_gradients`.

    names: the variables', in order. steps: those whose readings are kept. readings: for each step, by name.
    """

    def __init__(self, pairs: Sequence[tuple[Any, Any]], limits: Limits) -> None:
        self._pairs, self._judge = list(pairs), Judge(limits)
        self._names: dict[int, str] = {}
        self._held: list[Any] = []  # an id is good only while its variable lives
        self.steps: list[int] = []
        self.readings: list[dict[str, Reading]] = []
        self._stride, self._next = 1, 0
        self._units: dict[str, NDArray[np.bool_]] = {}
        self._heard: list[_Relu] = []  # a tape's relus, last one first
        self._asking: dict[int, list[_Relu]] = {}  # those whose order the maker of a tensor will tell, by its id
        self._display: Any = None
        self._events: Any = None
        for _, variable in self._pairs:
            self._name(variable)
        self._rectified = _rectified([g for g, _ in self._pairs])

    @property
    def names(self) -> list[str]:
        return list(self._names.values())

    @property
    def findings(self) -> list[Finding]:
        """What is amiss, and what was: earliest first."""
        return self._judge.findings

    # --- TensorFlow 1 ----------------------------------------------------------------------------------------------

    @property
    def fetches(self) -> dict[str, Any]:
        """What `see_fetched` takes, to be fetched together with a training step of one's own."""
        pairs = [(self._name(v), g, v) for g, v in self._pairs]
        return {
            "gradients": {n: g for n, g, _ in pairs if g is not None},
            "variables": {n: v for n, _, v in pairs},
            "rectified": self._rectified,
        }

    def run(self, session: Any, fetches: Any, feed_dict: Any = None, step: int | None = None) -> Any:
        """`session.run(fetches, feed_dict)`, watched. Returns the fetches' values.

        Raises:
          ArgumentError: the watch was made without a graph's gradients.
        """
        if not self._pairs:
            raise ArgumentError(
                "watch_gradients() was made without pairs; for a graph give it optimizer.compute_gradients(loss)"
            ).locate()
        answer, seen = session.run([fetches, self.fetches], feed_dict)
        after = session.run({self._name(v): v for _, v in self._pairs})
        self.see_fetched(seen, after, step)
        return answer

    def see_fetched(self, seen: dict[str, Any], after: dict[str, Any] | None = None, step: int | None = None) -> None:
        """Takes the values of `fetches`, and the variables' values after the update for the ratio of updates."""
        for name, values in seen["rectified"].items():
            self._units[name] = _fires(last(values, channels_first(self._rectified[name])))
        self._record(seen["gradients"], seen["variables"], after or {}, step)

    # --- TensorFlow 2 ----------------------------------------------------------------------------------------------

    def on_step(self, node: Any, dys: Any, dxs: Any) -> None:
        """The tape's hook: hears the relus it passes, for dead units, and then what made their inputs, which tells
        whether the channels stand first or last. What runs inside a `tf.function` is not heard."""
        if not node.results or not isinstance(node.results[0], EagerTensor):
            return
        for result in node.results:
            for relu in self._asking.pop(id(result), ()):
                relu.first = takes_first(node.op)
                self._ask(relu, node)
        if isinstance(node.op, CUTTING):
            relu = _Relu(node.type, node.results[0])
            self._heard.append(relu)
            self._ask(relu, node)

    def _ask(self, relu: _Relu, node: Any) -> None:
        relu.origin = kept_from(node)
        if relu.origin is not None:
            self._asking.setdefault(id(relu.origin), []).append(relu)

    def apply(self, optimizer: Any, grads_and_vars: Iterable[tuple[Any, Any]], step: int | None = None) -> Any:
        """`optimizer.apply_gradients(grads_and_vars)`, watched. Returns its answer."""
        with self.updating(grads_and_vars, step) as pairs:
            return optimizer.apply_gradients(pairs)

    @contextlib.contextmanager
    def updating(
        self, grads_and_vars: Iterable[tuple[Any, Any]], step: int | None = None
    ) -> Iterator[list[tuple[Any, Any]]]:
        """Watches an update that is made inside, in whatever way. Gives the pairs as a list.

        Raises:
          StaticOnly: a gradient is symbolic, as inside a `tf.function`; return it from there, and watch outside.
        """
        pairs = [(g, v) for g, v in grads_and_vars]
        gradients = {self._name(v): _value(g, v) for g, v in pairs if g is not None}
        before = {self._name(v): np.array(interpreter.as_tensor(v).value) for _, v in pairs}
        yield pairs
        after = {self._name(v): np.array(interpreter.as_tensor(v).value) for _, v in pairs}
        self._record(gradients, before, after, step)

    def see(self, grads_and_vars: Iterable[tuple[Any, Any]], step: int | None = None) -> None:
        """Takes gradients without an update."""
        pairs = [(g, v) for g, v in grads_and_vars]
        gradients = {self._name(v): _value(g, v) for g, v in pairs if g is not None}
        self._record(gradients, {self._name(v): interpreter.as_tensor(v).value for _, v in pairs}, {}, step)

    # --- the record ------------------------------------------------------------------------------------------------

    def _name(self, variable: Any) -> str:
        """The variable's name; numbered where eager ones share theirs."""
        found = self._names.get(id(variable))
        if found is None:
            plain = str(getattr(variable, "name", "variable")).removesuffix(":0")
            taken = set(self._names.values())
            numbered = (f"{plain}_{i}" for i in range(1, len(taken) + 2))
            found = self._names[id(variable)] = (
                plain if plain not in taken else next(n for n in numbered if n not in taken)
            )
            self._held.append(variable)
        return found

    def _record(
        self, gradients: dict[str, Any], before: dict[str, Any], after: dict[str, Any], step: int | None
    ) -> None:
        for relu in reversed(self._heard):
            count = sum(name.startswith(relu.kind) for name in self._units)
            values = last(np.asarray(relu.result.value), relu.first)
            self._units[f"{relu.kind}_{count}" if count else relu.kind] = _fires(values)
        self._heard, self._asking = [], {}
        step = self._next if step is None else step
        self._next = step + 1
        found = {n: _reading(gradients.get(n), w, after.get(n)) for n, w in before.items()}
        self._judge.see(step, {n: r.norm for n, r in found.items()}, self._units)
        self._units = {}
        if not self.steps or step >= self.steps[-1] + self._stride:
            self.steps.append(step)
            self.readings.append(found)
        if len(self.steps) > MOST_KEPT:
            self.steps, self.readings, self._stride = self.steps[::2], self.readings[::2], self._stride * 2
        if self._events is not None:
            self._events.write(event_of(step, found, gradients))
        if self._display is not None:
            self._display.update(self)

    def norms(self, name: str) -> NDArray[Any]:
        """A variable's gradient norm at each of `steps`; NaN where it had none."""
        found = [r[name].norm if name in r else None for r in self.readings]
        return np.array([np.nan if n is None else n for n in found])

    # --- how it shows ----------------------------------------------------------------------------------------------

    def __rich__(self) -> Any:
        from pullback.explain.checks.watch_page import terminal

        return terminal(self)

    @contextlib.contextmanager
    def live(self, console: Any = None) -> Iterator[GradientWatch]:
        """Keeps the table in the terminal up to date while training runs inside."""
        from rich.live import Live

        with Live(self, console=console, refresh_per_second=4) as self._display:
            try:
                yield self
            finally:
                self._display.update(self)
                self._display = None

    @contextlib.contextmanager
    def events(self, logdir: str | os.PathLike[str]) -> Iterator[GradientWatch]:
        """Writes each step that is watched inside to a folder that TensorBoard reads.

        Raises:
          OSError: the folder cannot be written.
        """
        self._events = EventFile(logdir, ".gradients")
        try:
            yield self
        finally:
            self._events.close()
            self._events = None

    def page(self) -> Any:
        """All that was seen, as a page."""
        from pullback.explain.checks.watch_page import page

        return page(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page. Raises OSError where it cannot be written."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __str__(self) -> str:
        told = "\n".join(map(str, self.findings)) or "nothing vanished, exploded or died"
        return f"{len(self.names)} variables, {self._next} steps\n{told}"


def _rectified(gradients: list[Any]) -> dict[str, Tensor]:
    """In a graph, the outputs of the relus that gradients pass, by name."""
    tensors = [g.values if isinstance(g, IndexedSlices) else g for g in gradients if g is not None]
    symbolic = [t for t in tensors if isinstance(t, Tensor) and not isinstance(t, EagerTensor)]
    return {n.name: n.outputs[0] for n in ancestors(symbolic) if isinstance(n.op, CUTTING)}


def _fires(values: Any) -> NDArray[np.bool_]:
    """Which units (the last axis) answered something but zero to some example; NaN is something."""
    fires = np.logical_not(np.atleast_1d(values) <= 0)
    return np.asarray(fires.reshape(-1, fires.shape[-1]).any(axis=0))


def _value(gradient: Any, variable: Any) -> Any:
    tensor = interpreter.as_tensor(gradient)
    if not isinstance(tensor, EagerTensor):
        raise StaticOnly(
            f"watch: the gradient of {variable.name!r} is symbolic; inside a tf.function return the gradients, and "
            "watch them outside; of a graph use watch_gradients(pairs) and watch.run(session, ...)"
        ).locate()
    return tensor.value


def _reading(gradient: Any, weight: Any, after: Any) -> Reading:
    weight = np.asarray(weight)
    size = _norm(weight)
    moved = None if after is None else _norm(np.asarray(after).astype(np.float64) - weight)
    ratio = None if moved is None else moved / size if size else float("inf") if moved else 0.0
    if gradient is None:
        return Reading(None, 0.0, 1.0, size, ratio, np.zeros(len(DECADES) - 1, np.int64))
    if hasattr(gradient, "indices"):  # a fetched IndexedSlices
        dense = np.zeros(weight.shape, np.asarray(gradient.values).dtype)
        np.add.at(dense, gradient.indices, gradient.values)
        gradient = dense
    magnitudes = np.abs(np.asarray(gradient)).astype(np.float64).ravel()
    finite = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    powers = np.clip(np.log10(finite), DECADES[0], DECADES[-1] - 1e-9)
    counts = np.histogram(powers, DECADES)[0]
    largest = float(magnitudes.max(initial=0.0))
    zeros = float(np.mean(magnitudes == 0)) if magnitudes.size else 1.0
    return Reading(_norm(magnitudes), largest, zeros, size, ratio, counts)


def _norm(values: Any) -> float:
    """The Euclidean norm; in shares of the largest magnitude, that no square overflows."""
    magnitudes = np.abs(np.asarray(values)).astype(np.float64)
    largest = float(magnitudes.max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.sum(np.square(magnitudes / largest))))


def watch_gradients(
    grads_and_vars: Iterable[tuple[Any, Any]] = (),
    *,
    vanishing: float = 1e-3,
    exploding: float = 1e3,
    patience: int = 10,
) -> GradientWatch:
    """Begins to watch a training: see the head of this module for both styles.

    Args:
      grads_and_vars: of a graph, pairs of gradient and variable as `compute_gradients` gives them; of eager code,
        nothing.
      vanishing: a norm below this share of the largest norm vanishes.
      exploding: a norm above this explodes.
      patience: a unit that has been silent for so many steps is dead.
    Raises:
      ArgumentError: a limit is not above 0.
    """
    if not (0 < vanishing < 1 and exploding > 0 and patience >= 1):
        raise ArgumentError(
            f"watch_gradients: vanishing={vanishing}, exploding={exploding}, patience={patience}; needed are a share "
            "between 0 and 1, a norm above 0, and at least one step"
        ).locate()
    return GradientWatch(list(grads_and_vars), Limits(vanishing, exploding, patience))
