"""Runs a program as Python would, with `tensorflow` meaning Pullback.

`sys.argv`, `sys.path[0]`, `__name__`, `__file__` and the exit status are those of `python script.py args`; a
traceback begins at the program's own first line.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from pullback import alias
from pullback.alias import dialect, old_numpy, source, uses

_OURS = str(Path(__file__).resolve().parents[1]) + os.sep


def run(
    target: str, arguments: Sequence[str] = (), module: bool = False, forced: str | None = None, say: Any = None
) -> int:
    """Runs a script, notebook or module, as the process's `__main__`.

    Args:
      target: a file, or (module) a module's dotted name.
      arguments: what follows it on the command line.
      forced: "tf1" or "tf2"; None reads the program and decides.
      say: called with each line for the user; stderr by default.
    Returns:
      The exit status that Python would have ended with.
    Raises:
      SourceError: the program is not there or cannot be read.
    """
    say = say or (lambda line: print(line, file=sys.stderr))
    if module:
        sys.path.insert(0, os.getcwd())
    path = uses.file_of_module(target) if module else Path(target)
    program = source.read(path)
    decision = dialect.Decision(forced, "as told") if forced else _decided(program)
    say(f"pullback: {path.name} runs as {decision}")
    for note in program.notes:
        say(f"pullback: {note}")
    alias.install(decision.dialect)
    if decision.dialect == "tf1":
        old_numpy.install()
    sys.argv = [str(path), *arguments]
    if not module:
        sys.path[0] = str(path.resolve().parent)
    return _main(program, _package(target, path) if module else None)


def _package(module: str, path: Path) -> str:
    """The package that a module's relative imports start from."""
    return module if path.name == "__main__.py" else module.rpartition(".")[0]


def _decided(program: source.Source) -> dialect.Decision:
    """The dialect; a program that is no Python is TensorFlow 2 until Python says what is wrong with it."""
    try:
        return dialect.decide(uses.scan(program))
    except SyntaxError as error:
        return dialect.Decision("tf2", f"unreadable: {error.msg}")


def _main(program: source.Source, package: str | None) -> int:
    """Executes the program as `__main__` and reports how it ended."""
    made = ModuleType("__main__")
    made.__dict__.update(
        __file__=os.path.abspath(program.path),
        __builtins__=__builtins__,
        __package__=package,
        __cached__=None,
        __loader__=None,
    )
    if program.path.suffix == ".ipynb":
        made.__dict__["display"] = print  # notebooks have it without importing it
    before, sys.modules["__main__"] = sys.modules["__main__"], made
    try:
        for code in program.codes():
            exec(code, made.__dict__)
    except SystemExit as stop:
        return status(stop)
    except BaseException as error:
        report(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    finally:
        sys.stdout.flush()
        # What was defined stays alive for threads and atexit; the name goes back.
        _kept.append(made)
        sys.modules["__main__"] = before
    return 0


_kept: list[ModuleType] = []


def status(stop: SystemExit) -> int:
    """The exit status that Python gives to `SystemExit(code)`; other values are printed, and the status is 1."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return 1


def report(error: BaseException) -> None:
    """Prints the traceback from the program's first line on, without the frames inside this package."""
    for link in _links(error):
        kept = trimmed(link.__traceback__)
        # What is no Python never began to run; of an error of our own all is shown.
        link.__traceback__ = kept if kept is not None or isinstance(link, SyntaxError) else link.__traceback__
    sys.stdout.flush()
    if sys.excepthook is not sys.__excepthook__:  # the program has one of its own
        sys.excepthook(type(error), error, error.__traceback__)
    else:
        traceback.print_exception(error)


def _links(error: BaseException | None) -> list[BaseException]:
    """The error, its causes and contexts, each once."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        here = waiting.pop()
        if here is not None and here not in found:
            found.append(here)
            waiting += [here.__cause__, here.__context__]
    return found


def trimmed(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package and of the import machinery; None when no other are there."""
    kept = []
    here = trace
    while here is not None:
        name = here.tb_frame.f_code.co_filename
        if not name.startswith((_OURS, "<frozen importlib")):
            kept.append(here)
        here = here.tb_next
    made = None
    for link in reversed(kept):
        made = TracebackType(made, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return made
