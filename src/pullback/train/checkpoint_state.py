"""The file `checkpoint` beside checkpoints: which is the newest, and which are kept."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Iterator
from typing import Any

from pullback.core.names import public
from pullback.io import atomic, checkpoints, messages

FILENAME = "checkpoint"


def state_path(folder: str, latest_filename: str | None = None) -> str:
    """Where a folder's state is kept."""
    return os.path.join(folder, latest_filename or FILENAME)


@public(v1="train.generate_checkpoint_state_proto")
def generate_checkpoint_state_proto(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Any = None,
    all_model_checkpoint_timestamps: Any = None,
    last_preserved_timestamp: float | None = None,
) -> Any:
    """The CheckpointState of a folder. Relative paths become relative to `save_dir`, where that is relative too.

    Args:
      model_checkpoint_path: the newest checkpoint.
      all_model_checkpoint_paths: all that are kept, oldest first.
      all_model_checkpoint_timestamps: seconds since the epoch, one for each of them.
      last_preserved_timestamp: when a checkpoint was last kept for good.
    Raises:
      ValueError: not one timestamp for each path.
    """
    paths: list[str] = list(all_model_checkpoint_paths or ())
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    times = list(all_model_checkpoint_timestamps or ())
    if times and len(times) != len(paths):
        raise ValueError(
            "Checkpoint timestamps, if provided, must match checkpoint paths (got paths "
            f"{paths} and timestamps {times})"
        )
    if not os.path.isabs(save_dir):
        paths = [p if os.path.isabs(p) else os.path.relpath(p, save_dir) for p in paths]
    return messages.CheckpointState(
        model_checkpoint_path=paths[-1],
        all_model_checkpoint_paths=paths,
        all_model_checkpoint_timestamps=times,
        last_preserved_timestamp=last_preserved_timestamp or 0.0,
    )


@public(v1="train.update_checkpoint_state")
def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Any = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: Any = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Writes a folder's `checkpoint` file, at once.

    Raises:
      RuntimeError: the checkpoint and the file would have one name.
    """
    write_state(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        latest_filename,
        False,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )


def write_state(
    save_dir: str,
    newest: str,
    paths: Any,
    latest_filename: str | None,
    relative: bool,
    times: Any = None,
    last_preserved: float | None = None,
) -> None:
    """`update_checkpoint_state`, with the paths relative to the folder where that is asked for."""
    path = state_path(save_dir, latest_filename)
    if relative:
        newest, *paths = [os.path.relpath(p, save_dir) if os.path.isabs(p) else p for p in (newest, *(paths or ()))]
    state = generate_checkpoint_state_proto(save_dir, newest, paths, times, last_preserved)
    if path == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{newest}' conflicts with path used for checkpoint state.  Please use a different save path."
        )
    from google.protobuf import text_format

    atomic.write(path, text_format.MessageToString(state).encode())


@public("train.get_checkpoint_state")
def get_checkpoint_state(checkpoint_dir: str, latest_filename: str | None = None) -> Any:
    """The CheckpointState of a folder, its paths as they can be opened; None when there is none that can be read.

    Raises:
      ValueError: the file names no checkpoint.
    """
    from google.protobuf import text_format

    checkpoint_dir = os.fsdecode(checkpoint_dir)
    path = state_path(checkpoint_dir, latest_filename)
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            state = text_format.Merge(file.read().decode(), messages.CheckpointState())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        warnings.warn(f"{path}: the state of the checkpoints cannot be read, so none is known: {error}", stacklevel=2)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {checkpoint_dir}")
    state.model_checkpoint_path = os.path.join(checkpoint_dir, state.model_checkpoint_path)
    state.all_model_checkpoint_paths[:] = [os.path.join(checkpoint_dir, p) for p in state.all_model_checkpoint_paths]
    return state


@public("train.latest_checkpoint")
def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The path of the newest checkpoint of a folder; None when there is none, or its files are not there."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    if checkpoints.exists(state.model_checkpoint_path):
        return state.model_checkpoint_path
    warnings.warn(f"Couldn't match files for checkpoint {state.model_checkpoint_path}", stacklevel=2)
    return None


@public(v1="train.checkpoint_exists")
def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether a checkpoint of this path is there, in either format."""
    return checkpoints.exists(os.fsdecode(checkpoint_prefix))


@public(v1="train.get_checkpoint_mtimes")
def get_checkpoint_mtimes(checkpoint_prefixes: Any) -> list[float]:
    """When checkpoints were written, in seconds since the epoch. Those that are not there are left out."""
    paths = map(os.fsdecode, checkpoint_prefixes)
    return [os.path.getmtime(checkpoints.files(p)[0]) for p in paths if checkpoints.exists(p)]


@public(v1="train.remove_checkpoint")
def remove_checkpoint(
    checkpoint_prefix: str, checkpoint_format_version: int = 2, meta_graph_suffix: str = "meta"
) -> None:
    """Removes a checkpoint and its graph's file. `checkpoint_format_version` 1 is one file, 2 is a pair."""
    from pullback.io import bundle

    checkpoint_prefix = os.fsdecode(checkpoint_prefix)
    for path in (f"{checkpoint_prefix}.{meta_graph_suffix}", *([checkpoint_prefix] * (checkpoint_format_version == 1))):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if checkpoint_format_version != 1:
        bundle.remove(checkpoint_prefix)


@public("train.checkpoints_iterator")
def checkpoints_iterator(
    checkpoint_dir: str, min_interval_secs: float = 0, timeout: float | None = None, timeout_fn: Any = None
) -> Iterator[str]:
    """Gives each new checkpoint of a folder as it comes.

    Args:
      min_interval_secs: least time between two of them, in seconds.
      timeout: longest wait for one, in seconds; None: without end.
      timeout_fn: a function without arguments, called when the wait is over: whether to stop.
    """
    last = None
    while True:
        found = wait_for_new_checkpoint(checkpoint_dir, last, timeout=timeout)
        if found is None:
            if timeout_fn is None or timeout_fn():
                return
            continue
        start, last = time.time(), found
        yield found
        time.sleep(max(0.0, start + min_interval_secs - time.time()))


def wait_for_new_checkpoint(
    checkpoint_dir: str, last_checkpoint: str | None = None, seconds_to_sleep: float = 1, timeout: float | None = None
) -> str | None:
    """The newest checkpoint of a folder, once it is another than `last_checkpoint`.

    Args:
      seconds_to_sleep: between two looks. timeout: longest wait in seconds; None: without end.
    Returns:
      Its path; None when the time is over.
    """
    end = None if timeout is None else time.time() + timeout
    while True:
        found = latest_checkpoint(checkpoint_dir)
        if found is not None and found != last_checkpoint:
            return found
        if end is not None and time.time() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)
