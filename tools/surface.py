"""How much of what programs use is there: `python tools/surface.py [--missing] [--measure]`.

../shared/api_surface.tsv counts how often programs in the wild use each TensorFlow name. A name counts as covered when

    it exists    as a program finds it through `pullback run`
    fits         it has TensorFlow's signature, and takes every keyword that those programs give it
    is run       a test uses it

What tests use is read from their text: every public name that a file under tests/ takes from `pullback` or
`pullback.v1`, and every TensorFlow name of the programs that tests run. --measure asks instead: it runs the tests
(some minutes) and counts the functions they called through the public namespaces; of classes and values, those they
looked up.
"""

from __future__ import annotations

import argparse
import ast
import csv
import functools
import importlib
import inspect
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"
TESTS = CHECKOUT / "tests"
# Set for the run that measures: where each process leaves what it called.
RECORD = "PULLBACK_SURFACE_RECORD"
# Their goal stands apart: reading data, estimators, contrib.
_APART = ("tf.estimator", "tf.feature_column", "tf.contrib", "tf.data")
_DIALECTS = {"1": "v1", "2": "v2"}


class Symbol(NamedTuple):
    """A row of api_surface.tsv. available: "1" and "2" for the TensorFlows that have it."""

    name: str
    uses: int
    group: str
    available: str
    keywords: tuple[str, ...]


class Verdict(NamedTuple):
    """What holds of a symbol in one dialect. why: of the first thing that does not."""

    exists: bool
    fits: bool
    run: bool
    why: str

    @property
    def covered(self) -> bool:
        return self.exists and self.fits and self.run


def symbols() -> list[Symbol]:
    """The rows, most used first.

    Raises:
      SystemExit: the table is not beside the checkout.
    """
    path = SHARED / "api_surface.tsv"
    if not path.exists():
        sys.exit(f"surface: {path} is not there; the table lies beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    out = []
    for _, name, _, uses, _, group, available, keywords in rows:
        given = tuple(part.partition(":")[0] for part in keywords.split(",") if part)
        out.append(Symbol(name, int(uses), group, available.replace("c", ""), given))
    return out


# --- what is there -------------------------------------------------------------------------------------------------


@functools.cache
def signature_test() -> Any:
    """The generated test of signatures, which says why one does not fit."""
    sys.path.insert(0, str(TESTS))
    return importlib.import_module("generated.test_signatures")


def exists(dialect: str, name: str) -> bool:
    """Whether a program of this dialect finds the name."""
    from pullback.alias import symbols as found

    return found.lookup(dialect, name) is not None


def unfit(dialect: str, symbol: Symbol) -> str:
    """Why a name does not take what programs give it; "" when it does."""
    from pullback import _names

    name = symbol.name[3:]
    test = signature_test()
    place = getattr(_names, dialect.upper()).get(name)
    text = test.SIGNATURES.get(name, {}).get(dialect)
    if place and text and text.startswith("("):
        try:
            test.test_signature_is_tensorflows(name, place, text)
        except AssertionError as error:
            return str(error).splitlines()[0]
        return ""
    value = load(dialect, name)
    if not callable(value):
        return ""
    try:
        taken = inspect.signature(value).parameters.values()
    except (ValueError, TypeError):
        return ""
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return ""
    absent = [word for word in symbol.keywords if word not in {p.name for p in taken}]
    return f"takes no {absent[0]}=" if absent else ""


def load(dialect: str, name: str) -> Any:
    """The object itself."""
    from pullback.alias import symbols as found

    place = found.lookup(dialect, name)
    return None if place is None else place.load()


# --- what tests run ------------------------------------------------------------------------------------------------


def written() -> dict[str, set[str]]:
    """Names that the tests' text uses, by dialect: through `import pullback as tf`, `import pullback.v1 as tf1`, and in
    the programs they run, which say `import tensorflow`."""
    from pullback.alias import check, dialect, source, uses

    found: dict[str, set[str]] = {"v1": set(), "v2": set()}
    for path in sorted(TESTS.rglob("*.py")):
        program = source.read(path)
        tree = ast.parse(program.pieces[0].text)
        for speech, text in _as_tensorflow(tree):
            bound = uses.bindings([text])
            found[speech] |= {check.public_part(speech, name) for name, _ in uses.uses_in(text, bound)}
        scanned = uses.scan(program, follow=False)
        if scanned.uses:
            speech = "v1" if dialect.decide(scanned).dialect == "tf1" else "v2"
            found[speech] |= {check.public_part(speech, use.path) for use in scanned.uses}
    found["v2"] |= _of_the_grid()
    return found


def _of_the_grid() -> set[str]:
    """Names that the conformance tests of the grid call: its ops, by the rule those tests go by."""
    import pullback

    sys.path.insert(0, str(TESTS))
    place = importlib.import_module("conformance.calls").place
    families = [json.loads(path.read_text(encoding="utf-8")) for path in (SHARED / "grid").glob("*.json")]
    return {name for family in families for case in family["cases"] if (name := place(case["op"], pullback))}


def _as_tensorflow(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """(dialect, the module as if it imported tensorflow where it imports that namespace of ours)."""
    for speech, root in (("v2", "pullback"), ("v1", "pullback.v1")):
        text = ast.unparse(tree)
        lines = []
        for line in text.splitlines():
            bare = line.strip()
            taken = bare == f"import {root}" or bare.startswith((f"import {root} as ", f"from {root} import "))
            lines.append(line.replace(root, "tensorflow", 1) if taken else line)
        yield speech, ast.parse("\n".join(lines))


def measured() -> dict[str, set[str]]:
    """Names that the tests called or looked up, found by running them."""
    folder = CHECKOUT / "build" / "surface"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    paths = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, RECORD: str(folder), "PYTHONPATH": paths}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tools.surface", "-p", "no:cacheprovider", "-n", "2"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"surface: the tests did not run (status {done.returncode})")
    found: dict[str, set[str]] = {"v1": set(), "v2": set()}
    for record in folder.glob("*.json"):
        for speech, names in json.loads(record.read_text(encoding="utf-8")).items():
            found[speech] |= set(names)
    for speech, names in written().items():  # types and their like stand in the module itself, and cannot be noted
        found[speech] |= (names & _in_programs(speech)) | (names - tables()[speech].keys())
    return found


def _in_programs(speech: str) -> set[str]:
    """Names of the programs under tests/programs, which run in processes of their own."""
    from pullback.alias import check, dialect, source, uses

    found: set[str] = set()
    for path in sorted((TESTS / "programs").rglob("*.py")):
        scanned = uses.scan(source.read(path), follow=False)
        if dialect.decide(scanned).dialect == {"v1": "tf1", "v2": "tf2"}[speech]:
            found |= {check.public_part(speech, use.path) for use in scanned.uses}
    return found


_called: dict[str, set[str]] = {"v1": set(), "v2": set()}


def _noting(f: FunctionType, note: Callable[[], None]) -> FunctionType:
    """The function, and a note of each call. To errors and to AutoGraph it is a line of the same file."""

    def call(*args: Any, **kwargs: Any) -> Any:
        note()
        return f(*args, **kwargs)

    code = call.__code__.replace(co_filename=f.__code__.co_filename)
    return FunctionType(code, {"__name__": f.__module__}, closure=call.__closure__)


def pytest_configure(config: Any) -> None:
    """As a plugin of pytest: notes what is looked up and called through the public namespaces."""
    if RECORD not in os.environ:
        return
    from pullback import namespace

    find = namespace.find

    def noting(dialect: str, name: str) -> Any:
        value = find(dialect, name)
        if not isinstance(value, FunctionType):
            _called[dialect].add(name)
            return value

        return functools.wraps(value)(_noting(value, lambda: _called[dialect].add(name)))

    namespace.find = noting


def pytest_sessionfinish(session: Any) -> None:
    """Leaves what was noted."""
    if RECORD in os.environ:
        path = Path(os.environ[RECORD]) / f"{os.getpid()}.json"
        path.write_text(json.dumps({speech: sorted(names) for speech, names in _called.items()}), encoding="utf-8")


# --- the report ----------------------------------------------------------------------------------------------------


def tables() -> dict[str, dict[str, str]]:
    """dialect -> {public name: where it lives}."""
    from pullback._names import V1, V2

    return {"v1": V1, "v2": V2}


def judged(rows: list[Symbol], run: dict[str, set[str]]) -> dict[tuple[str, str], Verdict]:
    """(symbol, dialect) -> verdict, for each dialect that has the symbol. A test of one name of an object is a test of
    its others."""
    where = tables()
    objects = {where[dialect][name] for dialect, names in run.items() for name in names if name in where[dialect]}
    out = {}
    for symbol in rows:
        for number in symbol.available:
            dialect = _DIALECTS[number]
            if not exists(dialect, symbol.name[3:]):
                out[symbol.name, dialect] = Verdict(False, False, False, "is not there")
                continue
            why = unfit(dialect, symbol)
            name = symbol.name[3:]
            ran = name in run[dialect] or where[dialect].get(name) in objects
            out[symbol.name, dialect] = Verdict(True, not why, ran, why or ("" if ran else "no test uses it"))
    return out


def share(rows: list[Symbol], verdicts: dict[tuple[str, str], Verdict], dialect: str) -> tuple[int, int, int]:
    """(uses covered, uses of names that are there, uses)."""
    mine = [(s.uses, verdicts[s.name, dialect]) for s in rows if (s.name, dialect) in verdicts]
    covered = sum(n for n, v in mine if v.covered)
    return covered, sum(n for n, v in mine if v.exists), sum(n for n, _ in mine)


def report(rows: list[Symbol], verdicts: dict[tuple[str, str], Verdict], missing: bool) -> None:
    """Prints the table: a line a group, TensorFlow 1 and 2 side by side."""
    groups: dict[str, list[Symbol]] = defaultdict(list)
    for symbol in rows:
        groups[symbol.group].append(symbol)

    def cells(some: list[Symbol]) -> str:
        text = ""
        for dialect in ("v1", "v2"):
            covered, there, uses = share(some, verdicts, dialect)
            text += f"  {covered:>6} of {uses:>6} {covered / uses:>6.1%} ({there / uses:>6.1%})" if uses else " " * 33
        return text

    print(f"{'uses covered (there)':<42}{'TensorFlow 1':>26}{'TensorFlow 2':>33}")
    for group, some in sorted(groups.items(), key=lambda item: -sum(s.uses for s in item[1])):
        print(f"{group:<42}{cells(some)}")
    print(f"{'all':<42}{cells(rows)}")
    core = [s for s in rows if s.group not in ("data", "contrib") and not s.name.startswith(_APART)]
    print(f"{'without data, estimators and contrib':<42}{cells(core)}")
    if missing:
        for symbol in rows:
            for dialect in ("v1", "v2"):
                verdict = verdicts.get((symbol.name, dialect))
                if verdict is not None and not verdict.covered:
                    print(f"{symbol.uses:>6}  {symbol.name} in {dialect}: {verdict.why}")


def main() -> int:
    """Prints the report."""
    parser = argparse.ArgumentParser(description="How much of what programs use is there.")
    parser.add_argument("--missing", action="store_true", help="list each name that is not covered, and why")
    parser.add_argument("--measure", action="store_true", help="run the tests to see what they call")
    given = parser.parse_args()
    sys.path.insert(0, str(CHECKOUT / "src"))
    rows = symbols()
    report(rows, judged(rows, measured() if given.measure else written()), given.missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
