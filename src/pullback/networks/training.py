"""Training of models: compile, fit, evaluate, predict, and single batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.autograph.calls import callee
from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.layers.base import described
from pullback.networks.batches import Batches, class_weights, packed, split_off, unpacked
from pullback.networks.callback import CallbackList
from pullback.networks.objectives import Losses, Metrics
from pullback.networks.stepping import Stepped, in_session
from pullback.networks.steps import GraphStep, TracedStep
from pullback.train import optimizer_names
from pullback.train.loss_scale_optimizer import LossScaleOptimizer
from pullback.train.optimizer_v2 import OptimizerV2

# Arguments of compile that must be left out, and what to do instead.
_REFUSED = {"target_tensors": "give labels to fit", "distribute": "make the model under the strategy's scope"}


class Trained(Stepped):
    """What a model knows of training. A mixin of Model."""

    def _start_training(self) -> None:
        self.optimizer: Any = None
        self.stop_training = False
        self.history: Any = None
        self._losses: Losses | None = None
        self._metrics: Metrics | None = None
        self._compiled: dict[str, Any] = {}
        self._steps: dict[str, Any] = {}
        self._trained_then: dict[int, bool] = {}
        self.run_eagerly = False

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        jit_compile: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Says how the model is trained.

        Args:
          optimizer: a word, a tf.keras optimizer, or one of tf.compat.v1.train.
          loss: a word, a function (y_true, y_pred) or a loss; or one for each output, in a list or by output name.
          metrics: words, functions or metrics; a list for each output where there are several. "accuracy" is the one
            that fits labels and outputs. weighted_metrics: those that sample weights count in.
          loss_weights: what the outputs' losses are multiplied by.
          run_eagerly: steps are not traced, so that their Python runs each time.
          Layers' `trainable` counts as it is now, until compile is called again.
          steps_per_execution, jit_compile: choose speed in TensorFlow's runtime; have no meaning here.
          sample_weight_mode, pss_evaluation_shards: weights are matched by their shape, and one machine runs; have no
            meaning.
          auto_scale_loss: under the policy "mixed_float16", make the optimizer a LossScaleOptimizer.
        Raises:
          ValueError: target_tensors or distribute is given. TypeError: an argument is not known.
        """
        self._require_started()  # type: ignore[attr-defined]
        for key, value in kwargs.items():
            if key not in (*_REFUSED, "sample_weight_mode", "pss_evaluation_shards", "auto_scale_loss"):
                raise TypeError(f"Invalid keyword argument(s) in `compile()`: {key!r}")
            if value is not None and key in _REFUSED:
                raise ArgumentError(f"compile: {key} is not supported; {_REFUSED[key]}").locate()
        with interpreter.entered(interpreter.eager()):
            kept = _configuration(optimizer) if _is_ours(optimizer) else None
        with self._home():  # type: ignore[attr-defined]
            self.optimizer = _optimizer_of(optimizer)
            if kwargs.get("auto_scale_loss", True) and self.dtype_policy.name == "mixed_float16":  # type: ignore[attr-defined]
                self.optimizer = _scaling(self.optimizer)
            self._losses, self._metrics = Losses(loss, loss_weights), Metrics(metrics, weighted_metrics)
        self.run_eagerly = bool(run_eagerly)
        self._steps = {}
        self._trained_then = {id(layer): layer._trainable for layer in self._flatten_layers()}  # type: ignore[attr-defined]
        self.loss = loss
        self._compiled = {
            "optimizer": kept,
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
        }

    # --- one batch, as arrays --------------------------------------------------------------------------------------

    def _step(self, kind: str) -> Any:
        """The quick form of train_step, test_step or predict_step."""
        if kind not in self._steps:
            if kind != "predict" and self._losses is None:
                raise RuntimeError(
                    "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."
                )
            run = self._as_compiled(getattr(self, f"{kind}_step"))
            here = interpreter.current()
            if in_session():
                after = None if kind == "predict" else (lambda outputs: self._results_again(outputs))
                self._steps[kind] = GraphStep(run, here.outermost, after)
            else:
                self._steps[kind] = TracedStep(run, self.run_eagerly)
        return self._steps[kind]

    def _as_compiled(self, run: Any) -> Any:
        """The step with every layer's `trainable` as it was when compile was called."""

        def step(data: Any) -> Any:
            now = [(layer, layer._trainable) for layer in self._flatten_layers()]  # type: ignore[attr-defined]
            try:
                for layer, trainable in now:
                    layer._trainable = self._trained_then.get(id(layer), trainable)
                return callee(run)(data)
            finally:
                for layer, trainable in now:
                    layer._trainable = trainable

        return step

    def _results_again(self, outputs: Any) -> Any:
        """The metrics, read after the step."""
        with interpreter.current().control_dependencies([]):
            return {m.name: m.result() for m in self.metrics} if isinstance(outputs, dict) else outputs

    def _one(self, kind: str, data: Any, reset: bool, as_dict: bool) -> Any:
        with self._home():  # type: ignore[attr-defined]
            if reset:
                self.reset_metrics()
            logs = self._step(kind)(data)
        return _answer(_numbers(logs), as_dict)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One step of training over a batch of arrays.

        Args:
          class_weight: {class: weight}, of integer labels.
          reset_metrics: figures are of this batch alone, else of all since the last reset.
          return_dict: figures by name.
        Returns:
          The loss, or a list of it and the metrics.
        """
        weights = class_weights(y, sample_weight, class_weight)
        return self._one("train", packed(x, y, weights), reset_metrics, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """The loss and metrics of a batch of arrays; returns as `train_on_batch`."""
        return self._one("test", packed(x, y, sample_weight), reset_metrics, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for a batch, as arrays."""
        with self._home():  # type: ignore[attr-defined]
            return self._step("predict")(packed(x, None, None))

    # --- many batches ----------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Trains over the data, epochs times.

        Args:
          x: arrays; or what gives batches (x, y) or (x, y, sample_weight): a Dataset, a keras Sequence, a generator.
          y: labels, as arrays. batch_size: 32 by default.
          verbose: 0 prints nothing, 1 a bar, 2 a line an epoch.
          callbacks: see keras.callbacks.
          validation_split: the share of the data, from its end, that is held back. validation_data: (x, y) or batches.
          shuffle: arrays are taken in another order each epoch.
          class_weight: {class: weight}. sample_weight: a weight for each example.
          initial_epoch: epochs counted as done.
          steps_per_epoch, validation_steps: batches in an epoch, in a validation; all by default.
          validation_freq: validate every so many epochs, or after the epochs listed.
          max_queue_size, workers, use_multiprocessing: batches are made where they are needed; have no meaning.
        Returns:
          History: `history` holds the figures of each epoch by name.
        """
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_off(validation_split, x, y, sample_weight)
        data = Batches(x, y, sample_weight, batch_size, shuffle, steps_per_epoch, class_weight)
        with self._home():  # type: ignore[attr-defined]
            called = CallbackList(callbacks, self, verbose, epochs, data.steps)
            self.stop_training = False
            step = self._step("train")
            called.on_train_begin()
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                called.on_epoch_begin(epoch)
                logs: dict[str, Any] = {}
                for i, batch in enumerate(data):
                    called.on_train_batch_begin(i)
                    logs = _numbers(step(batch))
                    called.on_train_batch_end(i, logs)
                    if self.stop_training:
                        break
                if validation_data is not None and _validates(validation_freq, epoch):
                    val = self._validated(validation_data, validation_batch_size or batch_size, validation_steps)
                    logs |= {f"val_{k}": v for k, v in val.items()}
                called.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            called.on_train_end()
        return self.history

    def _validated(self, data: Any, batch_size: Any, steps: Any) -> dict[str, Any]:
        given = isinstance(data, (tuple, list))
        x, y, w = unpacked(data) if given else (data, None, None)
        batch_size = batch_size if given else None
        return self.evaluate(x, y, batch_size, 0, w, steps, return_dict=True)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and metrics over the data. Arguments as of `fit`; returns as `train_on_batch`."""
        _none_left("evaluate", kwargs)
        data = Batches(x, y, sample_weight, batch_size, False, steps, None)
        with self._home():  # type: ignore[attr-defined]
            called = CallbackList(callbacks, self, verbose, 1, data.steps, keeps_history=False)
            step = self._step("test")
            self.reset_metrics()
            called.on_test_begin()
            logs: dict[str, Any] = {}
            for i, batch in enumerate(data):
                called.on_test_batch_begin(i)
                logs = _numbers(step(batch))
                called.on_test_batch_end(i, logs)
            called.on_test_end(logs)
        return _answer(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for all of x, as arrays in their structure. Arguments as of `fit`."""
        data = Batches(x, None, None, batch_size, False, steps, None)
        with self._home():  # type: ignore[attr-defined]
            called = CallbackList(callbacks, self, 0 if verbose == "auto" else verbose, 1, data.steps, False)
            step = self._step("predict")
            called.on_predict_begin()
            parts = []
            for i, batch in enumerate(data):
                called.on_predict_batch_begin(i)
                parts.append(step(batch))
                called.on_predict_batch_end(i, {"outputs": parts[-1]})
            called.on_predict_end()
        if not parts:
            raise ArgumentError("predict: the data is empty; give at least one batch").locate()
        return nest.mapped(lambda *ys: np.concatenate(ys), parts[0], *parts[1:])

    def fit_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """The former name of `fit` for generators: (generator, steps_per_epoch, epochs, ...).

        Raises:
          TypeError: there are more arguments than it had.
        """
        if len(args) > len(_OF_FIT_GENERATOR):
            raise TypeError(f"fit_generator: {len(args)} arguments behind the generator; it takes {_OF_FIT_GENERATOR}")
        return self.fit(generator, **dict(zip(_OF_FIT_GENERATOR, args, strict=False)), **kwargs)

    def evaluate_generator(self, generator: Any, steps: Any = None, **kwargs: Any) -> Any:
        """The former name of `evaluate` for generators."""
        return self.evaluate(generator, steps=steps, **{"verbose": 0, **kwargs})

    def predict_generator(self, generator: Any, steps: Any = None, **kwargs: Any) -> Any:
        """The former name of `predict` for generators."""
        return self.predict(generator, steps=steps, **kwargs)


_OF_FIT_GENERATOR = (
    "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps", "validation_freq",
    "class_weight", "max_queue_size", "workers", "use_multiprocessing", "shuffle", "initial_epoch",
)  # fmt: skip


def _optimizer_of(given: Any) -> Any:
    """The optimizer; in a session's graph one whose variables live there."""
    if isinstance(given, OptimizerV2) or not hasattr(given, "apply_gradients"):
        found = optimizer_names.get(given)
        if found is not None and found.iterations._graph is None and in_session():
            with interpreter.entered(interpreter.eager()):
                config = found.get_config()
            return type(found).from_config(config)
        return found
    return given


def _scaling(optimizer: Any) -> Any:
    """The optimizer with the loss scaled, as float16 needs it; one of TensorFlow 1 as it is."""
    scales = isinstance(optimizer, LossScaleOptimizer) or not isinstance(optimizer, OptimizerV2)
    return optimizer if scales else LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def _configuration(optimizer: Any) -> Any:
    """What the optimizer is made from; None where its rate is a schedule without get_config: such a model can be
    trained, and is saved without how it was compiled."""
    try:
        return described(optimizer_names.get(optimizer))
    except NotImplementedError:
        return None


def _is_ours(given: Any) -> bool:
    """Whether an optimizer can be described: a word, a configuration, or one of tf.keras outside of graphs."""
    if isinstance(given, OptimizerV2):
        return given.iterations._graph is None
    return not hasattr(given, "apply_gradients")


def _answer(logs: dict[str, Any], as_dict: bool) -> Any:
    """Figures by name, or as a list; one alone by itself."""
    if as_dict:
        return logs
    found = list(logs.values())
    return found[0] if len(found) == 1 else found


def _numbers(logs: dict[str, Any]) -> dict[str, Any]:
    return {k: float(v) if np.ndim(v) == 0 else v for k, v in logs.items()}


def _validates(freq: Any, epoch: int) -> bool:
    return (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq


def _none_left(where: str, kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise TypeError(f"{where}() got unexpected keyword argument {sorted(kwargs)[0]!r}")
