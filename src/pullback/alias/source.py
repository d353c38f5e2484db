"""The text of a program: a script, or a notebook's code cells in order."""

from __future__ import annotations

import ast
import json
import linecache
import re
import tokenize
from pathlib import Path
from types import CodeType
from typing import NamedTuple

_MAGIC = re.compile(r"\s*(%%?)(\w+)(.*)")
# Cell magics whose cell is ordinary Python.
_TRANSPARENT = {"time", "timeit", "capture", "prun"}


class SourceError(Exception):
    """A program cannot be read. Says which, where and why."""


class Piece(NamedTuple):
    """A compilation unit: a script as a whole, or one cell."""

    name: str
    text: str


class Source(NamedTuple):
    """A program. notes: what was left out, for the reader."""

    path: Path
    pieces: list[Piece]
    notes: list[str]

    def trees(self) -> list[tuple[Piece, ast.Module]]:
        """Its syntax trees.

        Raises:
          SyntaxError: a piece is no Python 3.
        """
        return [(piece, ast.parse(piece.text, piece.name)) for piece in self.pieces]

    def codes(self) -> list[CodeType]:
        """Its compiled pieces. Cells are made known to `linecache`, so that tracebacks show their lines."""
        for piece in self.pieces:
            if piece.name != str(self.path):
                linecache.cache[piece.name] = (len(piece.text), None, piece.text.splitlines(True), piece.name)
        return [compile(piece.text, piece.name, "exec", dont_inherit=True) for piece in self.pieces]


def read(path: Path) -> Source:
    """A script or notebook.

    Raises:
      SourceError: it is not there, not text, or a notebook holds what only a shell or IPython can run.
    """
    try:
        if path.suffix == ".ipynb":
            return _notebook(path)
        with tokenize.open(path) as file:  # honours a coding line
            return Source(path, [Piece(str(path), file.read())], [])
    except OSError as error:
        raise SourceError(f"can't open file {str(path)!r}: {error.strerror or error}") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} is no Python text: {error}") from None


def _notebook(path: Path) -> Source:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = [
            (i, cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"]))
            for i, cell in enumerate(cells, 1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is no notebook of format 4: {type(error).__name__}: {error}") from None
    notes: list[str] = []
    pieces = [Piece(f"{path} cell {i}", plain(text, f"{path} cell {i}", notes)) for i, text in texts]
    return Source(path, pieces, notes)


def plain(text: str, where: str, notes: list[str]) -> str:
    """A cell as plain Python, line for line: magics are left out and noted.

    Raises:
      SourceError: a line is for a shell, or the cell for another language.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        stripped = line.lstrip()
        if stripped.startswith("!"):
            raise SourceError(
                f"{where}, line {number + 1}: a shell command, which is not run: {stripped}\n"
                "Run it in a terminal where it is still needed, and take the line out."
            )
        magic = _MAGIC.match(line)
        if magic is None or not _is_magic(lines, number):
            continue
        if magic[1] == "%%" and magic[2] not in _TRANSPARENT:
            raise SourceError(f"{where}: a %%{magic[2]} cell is not Python; take the cell out")
        notes.append(f"{where}: {stripped} left out")
        lines[number] = line[: len(line) - len(stripped)] + "pass" if line != stripped else ""
    return "\n".join(lines) + "\n"


def _is_magic(lines: list[str], number: int) -> bool:
    """Whether a line that begins with % is a magic, not the rest of a broken `a \\ % b`."""
    before = "\n".join(lines[:number])
    try:
        ast.parse("\n".join(line for line in before.splitlines() if not line.lstrip().startswith(("%", "!"))) or "pass")
    except SyntaxError:
        return lines[number].startswith("%") and not before.rstrip().endswith(("\\", "(", "[", "{", ","))
    return not before.rstrip().endswith("\\")
