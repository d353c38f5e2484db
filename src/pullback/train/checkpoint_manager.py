"""`tf.train.CheckpointManager`: numbered checkpoints of a folder, of which the newest are kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from pullback.core.names import public
from pullback.modes.variable import Variable
from pullback.train import checkpoint_state


@public("train.CheckpointManager")
class CheckpointManager:
    """Saves a Checkpoint again and again, and removes what is too old.

    Args:
      checkpoint: the `tf.train.Checkpoint`.
      directory: the folder; what an earlier manager noted there is taken over.
      max_to_keep: how many are kept; None: all.
      keep_checkpoint_every_n_hours: one every so many hours is kept for good.
      checkpoint_name: what the files' names begin with.
      step_counter: a variable that counts steps. checkpoint_interval: least number of steps between two saves.
      init_fn: called by `restore_or_initialize` where there is nothing to restore.
      last_checkpoint_step: the step of the last save; that of the counter when left out.
    Raises:
      ValueError: max_to_keep is not positive, or there is an interval and no counter.
    """

    def __init__(
        self,
        checkpoint: Any,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Variable | None = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.")
        if step_counter is not None and not isinstance(step_counter, Variable):
            raise ValueError("`step_counter` should be a `tf.Variable`.")
        self._checkpoint, self._folder, self._max_to_keep = checkpoint, os.fsdecode(directory), max_to_keep
        self._every, self._init_fn = keep_checkpoint_every_n_hours, init_fn
        self._prefix = os.path.join(self._folder, checkpoint_name)
        self._counter, self._interval = step_counter, checkpoint_interval
        self._last_step = last_checkpoint_step
        self._kept: dict[str, float] = {}  # path -> when it was written, oldest first
        self.latest_checkpoint: str | None = None
        self._take_over()

    def _take_over(self) -> None:
        now = time.time()
        state = checkpoint_state.get_checkpoint_state(self._folder)
        self._last_preserved = now
        if state is None:
            return
        paths = list(state.all_model_checkpoint_paths)
        times = list(state.all_model_checkpoint_timestamps)
        if len(times) != len(paths):  # written by an older version
            times = [now] * len(paths)
        self._last_preserved = state.last_preserved_timestamp or now
        self._kept = dict(zip(paths, times, strict=True))
        self.latest_checkpoint = state.model_checkpoint_path

    @property
    def checkpoint(self) -> Any:
        return self._checkpoint

    @property
    def directory(self) -> str:
        return self._folder

    @property
    def checkpoints(self) -> list[str]:
        """Paths of those that are kept, oldest first."""
        return list(self._kept)

    @property
    def checkpoint_interval(self) -> int | None:
        return self._interval

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Saves, notes it in the folder's `checkpoint` file, then removes what is too old.

        Args:
          checkpoint_number: the number in the file's name; the count of saves by default.
          check_interval: whether to save only when `checkpoint_interval` steps were taken since the last time.
        Returns:
          The checkpoint's path; None when it was not time yet.
        """
        step = None if self._counter is None else int(self._counter.numpy())
        if check_interval and step is not None and not self._due(step):
            return None
        self._last_step = step
        self._checkpoint._ensure_counter()
        number = self._checkpoint._counted(None)
        if checkpoint_number is not None:
            number = int(checkpoint_number)
        path = self._checkpoint._write(f"{self._prefix}-{number}", None, options)
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self.latest_checkpoint = path
        self._note()
        if self._sweep():
            self._note()
        return path

    def _due(self, step: int) -> bool:
        """Whether `checkpoint_interval` steps were taken since the last save."""
        return self._interval is None or self._last_step is None or step - self._last_step >= self._interval

    def restore_or_initialize(self) -> str | None:
        """Restores the newest checkpoint and returns its path; where there is none, calls init_fn and returns None."""
        if self.latest_checkpoint is not None:
            self._checkpoint.restore(self.latest_checkpoint)
            if self._counter is not None:
                self._last_step = int(self._counter.numpy())
            return self.latest_checkpoint
        if self._init_fn is not None:
            self._init_fn()
        return None

    def sync(self) -> None:
        """Waits until saves are done. They are done when `save` returns."""

    def _note(self) -> None:
        assert self.latest_checkpoint is not None
        checkpoint_state.write_state(
            self._folder,
            self.latest_checkpoint,
            list(self._kept),
            None,
            True,
            list(self._kept.values()),
            self._last_preserved,
        )

    def _sweep(self) -> bool:
        """Removes what is too old; whether there was any."""
        removed = False
        while self._max_to_keep and len(self._kept) > self._max_to_keep:
            path = next(iter(self._kept))
            written = self._kept.pop(path)
            removed = True
            if self._every and written - self._every * 3600 >= self._last_preserved:
                self._last_preserved = written
            else:
                checkpoint_state.remove_checkpoint(path)
        return removed
