"""`tf.io.gfile` and `tf.gfile`: files of this machine, by TensorFlow's names and with its errors."""

from __future__ import annotations

import contextlib
import functools
import glob as globbing
import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pullback.core import errors
from pullback.core.names import public, public_value


class MissingFileError(errors.NotFoundError, FileNotFoundError):
    """A file or folder is not there."""


class ExistingFileError(errors.AlreadyExistsError, FileExistsError):
    """A file or folder is there already."""


class ForbiddenFileError(errors.PermissionDeniedError, PermissionError):
    """The system does not allow it."""


class WrongKindOfFileError(errors.FailedPreconditionError, OSError):
    """A folder was given for a file, or the other way round, or a folder is not empty."""


_ERRORS: list[tuple[type[OSError], type[Exception]]] = [
    (FileNotFoundError, MissingFileError),
    (FileExistsError, ExistingFileError),
    (PermissionError, ForbiddenFileError),
    (IsADirectoryError, WrongKindOfFileError),
    (NotADirectoryError, WrongKindOfFileError),
]


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """The system's errors as TensorFlow's."""
    try:
        yield
    except errors.OpError:
        raise
    except OSError as error:
        kind = next((ours for theirs, ours in _ERRORS if isinstance(error, theirs)), errors.UnknownError)
        raise kind(f"{what}: {error.strerror or error}") from None


def local(path: Any) -> str:
    """A path of this machine.

    Raises:
      UnimplementedError: it is on another (gs://, hdfs://, s3://).
    """
    text = os.fspath(path)
    text = os.fsdecode(text) if isinstance(text, bytes) else text
    if text.startswith("file://"):
        return text[len("file://") :]
    scheme, found, _ = text.partition("://")
    if found:
        raise errors.UnimplementedError(
            f"{text}: files are read from this machine, and {scheme}:// is elsewhere; copy the file here first"
        )
    return text


class FileStatistics(NamedTuple):
    """length: bytes. mtime_nsec: since 1970. is_directory."""

    length: int
    mtime_nsec: int
    is_directory: bool


@public("io.gfile.GFile", v1=("io.gfile.GFile", "gfile.GFile", "gfile.Open", "gfile.FastGFile"))
class GFile:
    """A file, opened at the first read or write.

    Args:
      name: its path. mode: "r", "w", "a", each with "+" (both ways) and "b" (bytes; else text in UTF-8).
    Raises:
      NotFoundError: at the first read, when it is not there.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        if set(mode) - set("rwab+") or not set(mode) & set("rwa"):
            raise errors.ArgumentError(f'GFile: mode must be "r", "w" or "a" with "+" or "b", not {mode!r}')
        self._name, self._mode = name, mode
        self._file: Any = None

    @property
    def name(self) -> Any:
        return self._name

    @property
    def mode(self) -> str:
        return self._mode

    def _opened(self, wanted: str) -> Any:
        if wanted == "read" and "r" not in self._mode and "+" not in self._mode:
            raise errors.PermissionDeniedError(f"{self._name}: opened to write ({self._mode!r}), not to read")
        if wanted == "write" and not set(self._mode) & set("wa+"):
            raise errors.PermissionDeniedError(f"{self._name}: opened to read ({self._mode!r}), not to write")
        if self._file is None:
            with _translated(str(self._name)):
                encoding = None if "b" in self._mode else "utf-8"
                self._file = open(local(self._name), self._mode, encoding=encoding)  # noqa: SIM115
        return self._file

    def read(self, n: int = -1) -> Any:
        """The next n characters (bytes), all that is left by default."""
        return self._opened("read").read(n)

    def readline(self) -> Any:
        return self._opened("read").readline()

    def readlines(self) -> list[Any]:
        return self._opened("read").readlines()

    def write(self, file_content: Any) -> None:
        """Appends text, or bytes; each is taken in either mode."""
        file = self._opened("write")
        if "b" in self._mode and isinstance(file_content, str):
            file_content = file_content.encode()
        elif "b" not in self._mode and isinstance(file_content, bytes):
            file_content = file_content.decode()
        file.write(file_content)

    def size(self) -> int:
        """Bytes on disk."""
        self.flush()
        return stat(self._name).length

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Moves to `offset` from the beginning (whence 0), from here (1), or from the end (2)."""
        if offset is None and position is None:
            raise TypeError("seek(): offset argument required")
        self._opened("seek").seek(position if offset is None else offset, whence)

    def tell(self) -> int:
        return self._opened("tell").tell()

    def seekable(self) -> bool:
        return True

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is None and "w" in self._mode:
            self._opened("write")  # an empty file is a file
        if self._file is not None:
            self._file.close()
        self._file = None

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:  # `GFile(name).read()` is how programs write it
            self._file.close()

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._opened("read"))

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__


@public("io.gfile.exists")
def exists(path: Any) -> bool:
    """Whether there is a file or folder of that path."""
    return os.path.lexists(local(path))


@public("io.gfile.isdir")
def isdir(path: Any) -> bool:
    """Whether the path is a folder."""
    return os.path.isdir(local(path))


@public("io.gfile.listdir")
def listdir(path: Any) -> list[str]:
    """Names in a folder.

    Raises:
      NotFoundError: it is no folder.
    """
    if not isdir(path):
        raise MissingFileError(f"Could not find directory {path}")
    return os.listdir(local(path))


@public("io.gfile.glob")
def glob(pattern: Any) -> list[str]:
    """Paths that match a pattern (*, ?, [abc]), or one of several patterns."""
    patterns = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    return [found for one in patterns for found in sorted(globbing.glob(local(one)))]


@public("io.gfile.makedirs")
def makedirs(path: Any) -> None:
    """Makes a folder, and those above it; fine where it is there."""
    with _translated(str(path)):
        os.makedirs(local(path), exist_ok=True)


@public("io.gfile.mkdir")
def mkdir(path: Any) -> None:
    """Makes a folder.

    Raises:
      AlreadyExistsError, NotFoundError: it is there, or the one above is not.
    """
    with _translated(str(path)):
        os.mkdir(local(path))


@public("io.gfile.remove")
def remove(path: Any) -> None:
    """Deletes a file."""
    with _translated(str(path)):
        os.remove(local(path))


@public("io.gfile.rmtree")
def rmtree(path: Any) -> None:
    """Deletes a folder and all in it."""
    with _translated(str(path)):
        if os.path.isdir(local(path)) and not os.path.islink(local(path)):
            shutil.rmtree(local(path))
        else:
            os.remove(local(path))


@public("io.gfile.copy")
def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file.

    Raises:
      AlreadyExistsError: dst is there, and overwrite is False.
    """
    if not overwrite and exists(dst):
        raise ExistingFileError(f"{dst}: file already exists; overwrite=True replaces it")
    with _translated(f"{src} -> {dst}"):
        shutil.copyfile(local(src), local(dst))


@public("io.gfile.rename")
def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Renames a file or folder.

    Raises:
      AlreadyExistsError: dst is there, and overwrite is False.
    """
    if not overwrite and exists(dst):
        raise ExistingFileError(f"{dst}: file already exists; overwrite=True replaces it")
    with _translated(f"{src} -> {dst}"):
        os.replace(local(src), local(dst))


@public("io.gfile.stat")
def stat(path: Any) -> FileStatistics:
    """Length in bytes, time of change, whether it is a folder."""
    with _translated(str(path)):
        found = os.stat(local(path))
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(local(path)))


@public("io.gfile.walk")
def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """(folder, its folders, its files) of a tree."""
    yield from os.walk(local(top), topdown, onerror)


@public("io.gfile.join")
def join(path: Any, *paths: Any) -> str:
    """Parts of a path, joined."""
    return os.path.join(path, *paths)


@public("io.gfile.get_registered_schemes")
def get_registered_schemes() -> list[str]:
    """What may stand before "://": this machine's files only."""
    return ["", "file"]


def _earlier(function: Callable[..., Any], name: str, **renamed: str) -> Callable[..., Any]:
    """A function under its TensorFlow 1 name, with its arguments' names there: today=then."""
    signature = inspect.signature(function)
    then = [p.replace(name=renamed.get(p.name, p.name)) for p in signature.parameters.values() if p.name != "onerror"]
    now = {old: new for new, old in renamed.items()}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{now.get(k, k): v for k, v in kwargs.items()})

    call.__name__ = call.__qualname__ = name
    call.__signature__ = signature.replace(parameters=then)  # type: ignore[attr-defined]
    return public(v1=f"gfile.{name}")(call)


Exists = _earlier(exists, "Exists", path="filename")
IsDirectory = _earlier(isdir, "IsDirectory", path="dirname")
ListDirectory = _earlier(listdir, "ListDirectory", path="dirname")
Glob = _earlier(glob, "Glob", pattern="filename")
MakeDirs = _earlier(makedirs, "MakeDirs", path="dirname")
MkDir = _earlier(mkdir, "MkDir", path="dirname")
Remove = _earlier(remove, "Remove", path="filename")
DeleteRecursively = _earlier(rmtree, "DeleteRecursively", path="dirname")
Copy = _earlier(copy, "Copy", src="oldpath", dst="newpath")
Rename = _earlier(rename, "Rename", src="oldname", dst="newname")
Stat = _earlier(stat, "Stat", path="filename")
Walk = _earlier(walk, "Walk", topdown="in_order")
public_value("FileStatistics", v1="gfile.FileStatistics")
