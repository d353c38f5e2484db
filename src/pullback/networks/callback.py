"""keras.callbacks: what is told of training as it goes."""

from __future__ import annotations

from typing import Any

from pullback.core.names import public
from pullback.networks.progress import Progbar

_SPANS = ("train", "test", "predict", "epoch", "train_batch", "test_batch", "predict_batch")
MOMENTS = frozenset(f"on_{span}_{end}" for span in _SPANS for end in ("begin", "end"))


@public("keras.callbacks.Callback")
class Callback:
    """Base of callbacks: a subclass overrides the moments it wants to hear of. `model` and `params` are set.

    logs: figures by name.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}
        self.validation_data: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """The former name of on_train_batch_begin."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """The former name of on_train_batch_end."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch, its validation included."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a step of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a step of training."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of a prediction; logs["outputs"] holds its outputs."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """After training."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After a prediction."""


# What a figure is called in other versions of Keras.
_OTHERWISE = {"acc": "accuracy", "ce": "crossentropy", "lr": "learning_rate"}
_OTHERWISE |= {long: short for short, long in _OTHERWISE.items()}


class Figures(dict[str, Any]):
    """Figures by name, found by the name of another version of Keras too: "val_acc" is "val_accuracy"."""

    def __missing__(self, name: str) -> Any:
        of, word = ("val_", name[4:]) if name.startswith("val_") else ("", name)
        other = of + _OTHERWISE.get(word, word)
        if other in self:
            return self[other]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


@public("keras.callbacks.History")
class History(Callback):
    """Keeps the figures: `history` {name: one an epoch}, `epoch` their numbers. `fit` gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = Figures()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)


@public("keras.callbacks.BaseLogger")
class BaseLogger(Callback):
    """Has nothing left to do: figures are means over the epoch already. stateful_metrics has no meaning."""

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())


@public("keras.callbacks.ProgbarLogger")
class ProgbarLogger(Callback):
    """Prints a bar for each epoch, or a line. count_mode, stateful_metrics: have no meaning: steps are counted."""

    def __init__(self, count_mode: str = "steps", stateful_metrics: Any = None, verbose: int = 1) -> None:
        super().__init__()
        self._verbose = verbose
        self._bar: Any = None
        self._training = False
        self._epochs = 1

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self._verbose, self._epochs = params.get("verbose", self._verbose), params.get("epochs", 1)

    def on_train_begin(self, logs: Any = None) -> None:
        self._training = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._epochs > 1:
            print(f"Epoch {epoch + 1}/{self._epochs}")
        self._start()

    def _start(self) -> None:
        names = [m.name for m in getattr(self.model, "metrics", ())]
        self._bar = Progbar(self.params.get("steps"), verbose=self._verbose, stateful_metrics=names)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._bar.update(batch + 1, list((logs or {}).items()), finalize=False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._bar.update(self.params.get("steps") or self._bar.seen, list((logs or {}).items()), finalize=True)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._training:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._training:
            self._bar.update(batch + 1, list((logs or {}).items()), finalize=False)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._training:
            self._bar.update(self.params.get("steps") or self._bar.seen, list((logs or {}).items()), finalize=True)


@public("keras.callbacks.CallbackList")
class CallbackList:
    """Several callbacks as one, a History and what prints among them."""

    def __init__(
        self,
        callbacks: Any,
        model: Any = None,
        verbose: Any = 0,
        epochs: int = 1,
        steps: int | None = None,
        keeps_history: bool = True,
        **params: Any,
    ) -> None:
        verbose = 1 if verbose == "auto" else int(verbose)
        given = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
        if keeps_history and model is not None:
            model.history = next((c for c in given if isinstance(c, History)), None) or History()
            given = [c for c in given if c is not model.history] + [model.history]
        if verbose and not any(isinstance(c, ProgbarLogger) for c in given):
            given.append(ProgbarLogger(verbose=verbose))
        self.callbacks = given
        settings = {"verbose": verbose, "epochs": epochs, "steps": steps, **params}
        for c in given:
            if not hasattr(c, "set_params") or not hasattr(c, "set_model"):
                raise TypeError(f"callbacks must be instances of keras.callbacks.Callback, but one is {c!r}")
            c.set_params(settings)
            c.set_model(model)

    def append(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def __getattr__(self, name: str) -> Any:
        """on_train_begin and the like: tells all callbacks. Where there are no figures, they are told of none."""
        if name not in MOMENTS:
            raise AttributeError(f"'CallbackList' object has no attribute {name!r}")

        count = 2 if "epoch" in name or "batch" in name else 1

        def tell(*args: Any) -> None:
            args = args if len(args) == count else (*args, {})
            for c in self.callbacks:
                getattr(c, name)(*args)

        return tell
