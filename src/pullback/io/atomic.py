"""Files that are whole or not there: written under another name, flushed to the disk, then renamed."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from typing import Any

_SUFFIX = ".partial"
# A partial file that nobody wrote to for so many seconds belongs to a process that died.
_ABANDONED = 3600


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[str]:
    """Another name for a file that takes the place of `path` when the context ends without an error."""
    partial = f"{path}.{uuid.uuid4().hex[:12]}{_SUFFIX}"
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise


@contextlib.contextmanager
def written(path: str) -> Iterator[Any]:
    """A binary file that takes the place of `path` when the context ends without an error."""
    with _replacing(path) as partial, open(partial, "xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write(path: str, data: bytes) -> None:
    """Writes a whole file at once, or not at all."""
    with written(path) as file:
        file.write(data)


def put_copy(source: str, path: str) -> None:
    """Lets `path` hold what `source` holds, at once; `source` stays."""
    with _replacing(path) as partial:
        try:
            os.link(source, partial)
        except OSError:  # a file system without links
            shutil.copyfile(source, partial)


def settle(folder: str) -> None:
    """Waits until the names in a folder are on the disk, where the system can say so."""
    if os.name == "posix":
        handle = os.open(folder or ".", os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(prefix: str) -> None:
    """Removes what writers that died left behind of files whose names begin with `prefix`."""
    for path in glob.glob(f"{glob.escape(prefix)}*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            if os.path.getmtime(path) < time.time() - _ABANDONED:
                os.unlink(path)
