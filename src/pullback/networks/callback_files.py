"""keras.callbacks that write files: ModelCheckpoint, CSVLogger, TensorBoard."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.layers import values
from pullback.networks.callback import Callback
from pullback.networks.callbacks import better, monitored, worst
from pullback.train.summaries import traces, written


@public("keras.callbacks.ModelCheckpoint")
class ModelCheckpoint(Callback):
    """Saves the model as it is trained.

    Args:
      filepath: may hold {epoch} and figures by name, as "weights.{epoch:02d}-{val_loss:.2f}".
      monitor, mode, save_best_only: save when the figure is the best so far. initial_value_threshold: to be beaten.
      save_weights_only: not the whole model.
      save_freq: "epoch", or every so many batches. period: every so many epochs, the former way to say it.
      options: must be None.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if options is not None:
            raise ArgumentError("ModelCheckpoint: options are not supported; leave them out").locate()
        self.period = kwargs.pop("period", 1)
        if kwargs.pop("load_weights_on_restart", False):
            raise ArgumentError(
                "ModelCheckpoint: weights are not loaded by the callback; call model.load_weights before fit"
            ).locate()
        if kwargs:
            raise TypeError(f"ModelCheckpoint: unknown argument {sorted(kwargs)[0]!r}")
        self.filepath, self.monitor, self.verbose = os.fspath(filepath), monitor, verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self._better = better(mode, monitor)
        self.best = worst(self._better) if initial_value_threshold is None else initial_value_threshold
        self._batches, self._epoch = 0, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" and (epoch + 1) % self.period == 0:
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: dict[str, Any]) -> None:
        if self.save_best_only:
            current = monitored(logs, self.monitor, self)
            if current is None or not self._better(current, self.best):
                return
            self.best = current
        try:
            path = self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, but the figures are {sorted(logs)}"
            ) from None
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: saving model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)


@public("keras.callbacks.CSVLogger")
class CSVLogger(Callback):
    """Writes the figures of each epoch as a line of a table.

    Args:
      filename: of the table. separator: between fields. append: go on with a table that is there.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self._keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        there = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._keys = self._header() if there else None

    def _header(self) -> list[str]:
        with open(self.filename, newline="", encoding="utf-8") as file:
            return next(csv.reader(file, delimiter=self.sep))[1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        figures = logs or {}
        rows = csv.writer(self._file, delimiter=self.sep)
        if self._keys is None:
            self._keys = sorted(figures)
            rows.writerow(["epoch", *self._keys])
        rows.writerow([epoch, *[_text(figures.get(k, "NA")) for k in self._keys]])
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._file.close()
        self._file = None


def _text(value: Any) -> Any:
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, np.ndarray) and value.ndim else value


@public("keras.callbacks.TensorBoard")
class TensorBoard(Callback):
    """Writes what TensorBoard shows: figures of epochs, in the folders `train` and `validation` of log_dir.

    Args:
      histogram_freq: every so many epochs, histograms of the weights; 0 never.
      write_graph: the graph of a training step. write_images: weights as pictures too, with histogram_freq.
      update_freq: "epoch", or also figures of every so many batches; "batch" is 1.
      write_steps_per_second: batches a second, at each epoch.
      profile_batch: must be 0. embeddings_freq, embeddings_metadata: must be 0 and None.
      write_grads, batch_size: of TensorFlow 1; have no meaning.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        unknown = set(kwargs) - {"write_grads", "batch_size"}
        if unknown:
            raise TypeError(f"TensorBoard: unknown argument {sorted(unknown)[0]!r}")
        if profile_batch or embeddings_freq or embeddings_metadata is not None:
            raise ArgumentError(
                "TensorBoard: profiles and embeddings are not written; leave profile_batch and embeddings_* out"
            ).locate()
        self.log_dir, self.histogram_freq = os.fspath(log_dir), histogram_freq
        self.write_graph, self.write_images = write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._batches, self._first, self._began = 0, 0, 0.0

    def _write(self, part: str, kind: Any, tag: str, value: Any, step: int) -> None:
        with interpreter.entered(interpreter.eager()):
            if part not in self._writers:
                self._writers[part] = written.create_file_writer(os.path.join(self.log_dir, part))
            with self._writers[part].as_default():
                kind(tag, value, step=step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began, self._first = time.time(), self._batches

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self.update_freq != "epoch" and self._batches % int(self.update_freq) == 0:
            for name, value in (logs or {}).items():
                self._write("train", written.scalar, f"batch_{name}", value, self._batches)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            self._write(part, written.scalar, f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.write_steps_per_second:
            rate = (self._batches - self._first) / max(time.time() - self._began, 1e-9)
            self._write("train", written.scalar, "epoch_steps_per_second", rate, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.write_graph and epoch == self.params.get("initial_epoch", 0):
            self._write_graph()

    def _write_weights(self, epoch: int) -> None:
        held = self.model.weights
        for variable, array in zip(held, values.read(held), strict=True):
            name = variable.name.replace(":", "_")
            self._write("train", written.histogram, f"{name}/histogram", array, epoch)
            if self.write_images and array.ndim == 2:
                shades = (array - array.min()) / max(float(np.ptp(array)), 1e-12)
                self._write("train", written.image, f"{name}/image", shades[None, :, :, None], epoch)

    def _write_graph(self) -> None:
        graph = self.model._step("train").graph()
        if graph is not None:
            self._write("train", lambda tag, value, step: traces.graph(value), "keras", graph, 0)

    def on_train_end(self, logs: Any = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
