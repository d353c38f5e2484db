"""What `compile` is told: losses and metrics, one for each output, made ready for training."""

from __future__ import annotations

from typing import Any

from pullback.autograph.calls import callee
from pullback.core import interpreter, nest
from pullback.core.dtypes import bfloat16, float16, float32
from pullback.core.errors import ArgumentError
from pullback.core.tensor import Tensor
from pullback.ops.array.shape import expand_dims
from pullback.ops.array.sizes import shape_
from pullback.ops.math.reduce_functions import reduce_sum
from pullback.ops.math.select import Cast
from pullback.train import loss_classes, metric_classes, metric_identifiers
from pullback.train.metric import Mean, MeanMetricWrapper, Metric

_BY_SHAPE = {
    "accuracy": (
        metric_classes.binary_accuracy,
        metric_classes.categorical_accuracy,
        metric_classes.sparse_categorical_accuracy,
    ),
    "crossentropy": tuple(
        loss_classes.BY_NAME[f"{kind}_crossentropy"] for kind in ("binary", "categorical", "sparse_categorical")
    ),
}
_BY_SHAPE |= {"acc": _BY_SHAPE["accuracy"], "ce": _BY_SHAPE["crossentropy"]}


class FunctionLoss(loss_classes.Loss):
    """A loss of a function (y_true, y_pred) -> a loss for each example."""

    def __init__(self, function: Any) -> None:
        super().__init__(name=getattr(function, "__name__", "loss").strip("<>"))
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return callee(self.function)(y_true, y_pred)


def loss_of(given: Any) -> Any:
    """The loss of a word, a function or a loss; None of None."""
    found = loss_classes.get(given)
    if found is None or isinstance(found, loss_classes.Loss):
        return found
    return FunctionLoss(found)


def aligned(y: Any, p: Tensor) -> Any:
    """Labels of as many axes as predictions whose last axis is 1, and of their type where both are floating."""
    y = y if isinstance(y, Tensor) else interpreter.as_tensor(y)
    known = p.spec.shape
    if known is not None and y.spec.rank == len(known) - 1 and known[-1] == 1:
        y = expand_dims(y, -1)
    return Cast(p.dtype)(y) if y.dtype.is_floating and p.dtype.is_floating and y.dtype is not p.dtype else y


def widened(p: Tensor) -> Tensor:
    """Predictions of 16 bits as float32, in which losses and metrics are reckoned."""
    return Cast(float32)(p) if p.dtype in (float16, bfloat16) else p


def spread_over(given: Any, names: list[str], what: str) -> list[Any]:
    """One of `given` for each output: a dictionary by name, a list in order, or the same for all.

    Raises:
      ValueError: a list is too long or short, or a name is none of an output.
    """
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            raise ArgumentError(f"{what}: {sorted(unknown)} are no outputs; the model has {names}").locate()
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ArgumentError(f"{what}: {len(given)} were given for {len(names)} outputs, {names}").locate()
        return list(given)
    return [given] * len(names)


def examples_in(p: Any) -> Any:
    """How many examples a batch of predictions holds: what its mean loss weighs in an epoch's; None of a scalar."""
    return None if p.spec.rank == 0 else shape_(p)[0]


class Losses:
    """The model's loss: the weighted sum of its outputs' losses. An epoch's is the mean over its examples."""

    def __init__(self, given: Any, weights: Any) -> None:
        self._given, self._weights = given, weights
        self.each: list[Any] = []
        self.weights: list[Any] = []
        self.means: list[Mean] = []
        self.total = Mean("loss")
        self._names: list[str] = []

    def build(self, names: list[str]) -> None:
        if self.each:
            return
        self.each = [loss_of(x) for x in spread_over(self._given, names, "loss")]
        self.weights = spread_over(self._weights, names, "loss_weights")
        self._names = names
        if len(names) > 1:
            self.means = [Mean(f"{name}_loss") for name in names]

    def __call__(self, ys: list[Any], ps: list[Any], ws: list[Any]) -> Any:
        """The loss, without the layers' own."""
        terms = []
        for i, (loss, y, p, w) in enumerate(zip(self.each, ys, ps, ws, strict=True)):
            if loss is None or y is None:
                continue
            p = widened(p)
            value = loss(aligned(y, p), p, w)
            value = reduce_sum(value) if value.spec.rank else value
            if self.means:
                self.means[i].update_state(value, examples_in(p))
            terms.append(value if self.weights[i] is None else value * self.weights[i])
        return sum(terms[1:], terms[0]) if terms else None

    @property
    def metrics(self) -> list[Any]:
        return [self.total, *self.means]


class Metrics:
    """The model's metrics: for each output those that are asked for."""

    def __init__(self, given: Any, weighted: Any) -> None:
        self._given, self._asked = given, weighted
        self.each: list[list[Any]] = []
        self.weighted: list[list[Any]] = []
        self._built = False

    def build(self, names: list[str], ys: list[Any], ps: list[Any]) -> None:
        if self._built:
            return
        self._built = True
        self.each = self._made(self._given, names, ys, ps)
        self.weighted = self._made(self._asked, names, ys, ps)

    def _made(self, given: Any, names: list[str], ys: list[Any], ps: list[Any]) -> list[list[Any]]:
        if given is None:
            return [[] for _ in names]
        if isinstance(given, (list, tuple)) and not any(isinstance(g, (list, tuple)) for g in given):
            asked: list[Any] = [given] * len(names) if len(given) != len(names) or len(names) == 1 else list(given)
        else:
            asked = spread_over(given, names, "metrics")
        out = []
        for name, wanted, y, p in zip(names, asked, ys, ps, strict=True):
            each = wanted if isinstance(wanted, (list, tuple)) else [] if wanted is None else [wanted]
            out.append([_metric(m, f"{name}_" if len(names) > 1 else "", y, p) for m in each])
        return out

    def update(self, ys: list[Any], ps: list[Any], ws: list[Any]) -> None:
        for metrics, weighs in ((self.each, False), (self.weighted, True)):
            for wanted, y, p, w in zip(metrics, ys, ps, ws, strict=True):
                for metric in wanted:
                    if y is not None:
                        metric.update_state(aligned(y, widened(p)), widened(p), w if weighs else None)

    @property
    def all(self) -> list[Any]:
        return [m for wanted in (*self.each, *self.weighted) for m in wanted]


def _metric(given: Any, prefix: str, y: Any, p: Tensor) -> Any:
    """The metric that was asked for; "accuracy" hangs on the shapes of labels and predictions."""
    if isinstance(given, Metric):
        return given
    if given in _BY_SHAPE:
        return MeanMetricWrapper(_by_shape(_BY_SHAPE[given], y, p), prefix + given)
    found = metric_identifiers.get(given)
    if isinstance(found, Metric):
        return found
    if not callable(found):
        raise ArgumentError(f"compile: {given!r} is no metric").locate()
    name = given if isinstance(given, str) else getattr(found, "__name__", "metric")
    return MeanMetricWrapper(found, prefix + name)


def _by_shape(three: Any, y: Any, p: Tensor) -> Any:
    binary, categorical, sparse = three
    last = (p.spec.shape or (None,))[-1]
    if last == 1:
        return binary
    labels = aligned(y, p).spec.shape or (0,)
    same = len(labels) == (p.spec.rank or 0) and labels[-1] == last
    return categorical if same else sparse


def flat(nested: Any, count: int) -> list[Any]:
    """Leaves, as many as there are outputs; None for each where there is nothing."""
    return [None] * count if nested is None else nest.leaves_of(nested)
