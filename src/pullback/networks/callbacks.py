"""keras.callbacks that steer training: EarlyStopping, schedules of the learning rate, and functions of the user's."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import values
from pullback.networks.callback import MOMENTS, Callback, Figures


def better(mode: str, monitor: str, min_delta: float = 0.0) -> Callable[[float, float], bool]:
    """(new, best) -> whether a figure got better by more than min_delta. mode "auto" goes by the figure's name.

    Raises:
      ValueError: mode is not known.
    """
    if mode not in ("auto", "min", "max"):
        raise ArgumentError(f'mode must be "auto", "min" or "max", not {mode!r}').locate()
    up = mode == "max" or (mode == "auto" and any(word in monitor for word in ("acc", "auc", "precision", "recall")))
    delta = abs(min_delta)
    return (lambda new, best: new - delta > best) if up else (lambda new, best: new + delta < best)


def worst(is_better: Callable[[float, float], bool]) -> float:
    """What every figure is better than."""
    return -np.inf if is_better(1.0, 0.0) else np.inf


def monitored(logs: Any, name: str, by: Any) -> Any:
    """The figure that a callback goes by; None, with a warning, where there is none."""
    found = Figures(logs or {}).get(name)
    if found is None:
        warnings.warn(
            f"{type(by).__name__}: there is no figure {name!r}, so nothing is done; there are {sorted(logs or {})}",
            stacklevel=3,
        )
    return found


@public("keras.callbacks.EarlyStopping")
class EarlyStopping(Callback):
    """Ends training when a figure has stopped getting better.

    Args:
      monitor: its name. min_delta: the least change that counts. mode: "min", "max", or "auto" by its name.
      patience: so many epochs without getting better are borne.
      baseline: a figure that must be beaten. restore_best_weights: end with the weights of the best epoch, also where
        training goes on to its last one.
      start_from_epoch: earlier epochs do not count. verbose: print when it ends.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        self.monitor, self.patience, self.verbose, self.baseline = monitor, patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._better = better(mode, monitor, min_delta)
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = worst(self._better), None

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = worst(self._better), None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = monitored(logs, self.monitor, self)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._better(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._better(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


def learning_rate(optimizer: Any) -> float:
    """The optimizer's rate, now.

    Raises:
      ArgumentError: it has none that is a variable.
    """
    rate = getattr(optimizer, "learning_rate", None)
    if rate is None or not hasattr(rate, "handle"):
        raise ArgumentError(
            "the optimizer's learning rate is no variable; give it a number, not a schedule or a TensorFlow 1 optimizer"
        ).locate()
    return float(values.read([rate])[0])


def set_learning_rate(optimizer: Any, rate: float) -> None:
    learning_rate(optimizer)
    values.write([(optimizer.learning_rate, np.float32(rate))])


@public("keras.callbacks.LearningRateScheduler")
class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch. schedule: (epoch, rate now) -> rate, or (epoch) -> rate."""

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        now = learning_rate(self.model.optimizer)
        given: Any = self.schedule(epoch, now) if _takes_two(self.schedule) else self.schedule(epoch)
        try:
            rate = float(given)
        except TypeError:
            raise ArgumentError(f"LearningRateScheduler: schedule must give a number, not {given!r}").locate() from None
        set_learning_rate(self.model.optimizer, rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = learning_rate(self.model.optimizer)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    return True


@public("keras.callbacks.ReduceLROnPlateau")
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a figure has stopped getting better.

    Args:
      monitor, mode, min_delta, patience: as of EarlyStopping.
      cooldown: so many epochs after a change do not count. min_lr: the least rate.
    Raises:
      ValueError: factor is not below 1.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau does not support a factor >= 1.0. Got {factor}").locate()
        min_delta = kwargs.pop("epsilon", min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: unknown argument {sorted(kwargs)[0]!r}")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._better = better(mode, monitor, min_delta)
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        self.best, self.wait, self.cooldown_counter = worst(self._better), 0, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        now = learning_rate(self.model.optimizer)
        if logs is not None:
            logs["lr"] = now
        current = monitored(logs, self.monitor, self)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.wait = self.cooldown_counter - 1, 0
        if self._better(current, self.best):
            self.best, self.wait = current, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and now > self.min_lr:
                rate = max(now * self.factor, self.min_lr)
                set_learning_rate(self.model.optimizer, rate)
                if self.verbose:
                    print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
                self.cooldown_counter, self.wait = self.cooldown, 0


@public("keras.callbacks.TerminateOnNaN")
class TerminateOnNaN(Callback):
    """Ends training when the loss is not finite."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


@public("keras.callbacks.LambdaCallback")
class LambdaCallback(Callback):
    """Functions for the moments: (epoch, logs), (batch, logs), (logs). Further moments by their names, as keywords.

    Raises:
      TypeError: there is no such moment.
    """

    def __init__(
        self,
        on_epoch_begin: Any = None,
        on_epoch_end: Any = None,
        on_batch_begin: Any = None,
        on_batch_end: Any = None,
        on_train_begin: Any = None,
        on_train_end: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **kwargs,
        }
        unknown = sorted(name for name in kwargs if name not in MOMENTS)
        if unknown:
            raise TypeError(f"LambdaCallback: there is no moment {unknown[0]!r}; there are {sorted(MOMENTS)}")
        self.__dict__.update({name: f for name, f in given.items() if f is not None})
