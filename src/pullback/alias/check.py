"""`pullback check`: every TensorFlow name a program uses, and whether it is supported, without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pullback.alias import dialect, old_names, source, symbols, uses

_SUFFIXES = (".py", ".ipynb")
_SKIPPED = {"__pycache__", "node_modules", "site-packages", "build", "dist"}


class Symbol(NamedTuple):
    """A name and what is known of it. old: its name today, when it is from before 1.15."""

    name: str
    count: int
    supported: bool
    old: str | None
    near: list[str]
    first: str


class Report(NamedTuple):
    """What was found. dialects: for each file the dialect it would run as."""

    symbols: list[Symbol]
    dialects: dict[str, str]
    unread: list[str]

    @property
    def missing(self) -> list[Symbol]:
        return [symbol for symbol in self.symbols if not symbol.supported]

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": self.dialects,
            "unread": self.unread,
            "symbols": [symbol._asdict() for symbol in self.symbols],
            "missing": len(self.missing),
        }


def check(paths: Iterable[Path], forced: str | None = None) -> Report:
    """Checks scripts, notebooks and folders of them.

    Args:
      forced: "tf1" or "tf2"; None decides for each file.
    Raises:
      SourceError: a path is not there, or no file under it can be read.
    """
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    dialects: dict[str, str] = {}
    unread: list[str] = []
    for path in _programs(paths):
        try:
            # A file's neighbours help to tell its dialect; its uses are its own.
            program = source.read(path)
            decided = forced or dialect.decide(uses.scan(program)).dialect
            found = uses.scan(program, follow=False)
        except (source.SourceError, SyntaxError) as error:
            unread.append(str(error) if isinstance(error, source.SourceError) else f"{path}: {error}")
            continue
        dialects[str(path)] = decided
        speech = "v1" if decided == "tf1" else "v2"
        for use in found.uses:
            name = public_part(speech, use.path)
            if name:
                counts[speech, name] += 1
                first.setdefault((speech, name), f"{Path(use.file).name}:{use.line}")
    if unread and not dialects:
        raise source.SourceError("\n".join(unread))
    return Report([_symbol(*key, n, first[key]) for key, n in sorted(counts.items())], dialects, unread)


def _programs(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*")):
            hidden = any(part in _SKIPPED or part.startswith(".") for part in found.relative_to(path).parts)
            if found.suffix in _SUFFIXES and found.is_file() and not hidden:
                yield found


def public_part(speech: str, path: str) -> str:
    """The TensorFlow name in a chain of attributes: "app.flags.FLAGS" of "app.flags.FLAGS.rate"; "" of a module. Of a
    chain that leads nowhere, what stands up to its first class, or all of it."""
    words = path.split(".")
    fronts = [".".join(words[:i]) for i in range(1, len(words) + 1)]
    for name in fronts:
        if symbols.lookup(speech, name) is not None:
            return name
    if symbols.is_space(speech, path):
        return ""
    return next((name for name, word in zip(fronts, words, strict=True) if word[:1].isupper()), path)


def _symbol(speech: str, name: str, count: int, first: str) -> Symbol:
    supported = symbols.lookup(speech, name) is not None
    old = old_names.lookup(name) if speech == "v1" else None
    near = [] if supported else symbols.near(speech, name)
    return Symbol(f"tf.{name}", count, supported, f"tf.{old.new}" if old else None, [f"tf.{n}" for n in near], first)
