"""`python -m bench`: Pullback and its peers in one run, in turns; see `docs/performance.md`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import environments, machine, tables
from bench.catalogue import GROUPS, works
from bench.environments import MissingError
from bench.process import FailureError
from bench.rounds import Arena
from bench.work import PEERS, PULLBACK, Figures, Work

WIDTH = 132  # of what is printed into a file


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Times Pullback and its peers in turns, in one run, and prints ratios.",
    )
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}; left out, all")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma between; 'none' for Pullback alone")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each library (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a turn, at least one run (default: 0.1)")
    parser.add_argument("--threads", type=int, default=2, help="of every library (default: 2)")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: what other processes take does not count"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="works with this in their name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--no-check", action="store_true", help="do not compare results with float64 on NumPy")
    parser.add_argument("--list", action="store_true", help="say what would be measured")
    chosen = parser.parse_args(arguments)
    chosen.peers = [] if chosen.peers in ("", "none") else chosen.peers.split(",")
    for given, known in ((chosen.groups, GROUPS), (chosen.peers, PEERS)):
        for name in given:
            if name not in known:
                parser.error(f"{name!r}: there are {', '.join(known)}")
    if chosen.rounds < 1 or chosen.threads < 1:
        parser.error("--rounds and --threads must be at least 1")
    return chosen


def selected(chosen: argparse.Namespace) -> list[Work]:
    groups = chosen.groups or GROUPS
    return [w for w in works() if w.group in groups and chosen.only.lower() in w.name.lower()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints. Gives 1 where a result of Pullback is wrong, 0 otherwise: a missed goal is not an error."""
    chosen, console = parsed(arguments), Console(width=None if sys.stdout.isatty() else WIDTH)
    todo = selected(chosen)
    if chosen.list or not todo:
        for work in todo:
            console.print(f"{work.group}: {work.name}", highlight=False)
        return 0
    machine.confine(chosen.threads)
    libraries = [PULLBACK, *_installed(chosen.peers, console)]
    timed = "CPU time" if chosen.clock == "cpu" else "time"
    console.print(f"{machine.words()}; {timed} with {chosen.threads} threads", highlight=False)
    arena = Arena(libraries, chosen.rounds, chosen.seconds, check=not chosen.no_check, clock=chosen.clock)
    try:
        for library, reason in arena.missing.items():
            console.print(f"{library}: cannot be started: {reason}", style="red", highlight=False)
        if PULLBACK in arena.missing:
            return 1
        console.print(", ".join(f"{name} {said}" for name, said in arena.versions.items()), highlight=False)
        return _report(todo, arena, chosen, console)
    finally:
        arena.close()


def _installed(peers: Sequence[str], console: Console) -> list[str]:
    """The peers that are there, or could be had."""
    out = []
    for peer in peers:
        try:
            environments.made(peer, lambda words: console.print(words, highlight=False))
            out.append(peer)
        except MissingError as error:
            console.print(f"{error}; it is left out", style="red", highlight=False)
    return out


def _report(todo: list[Work], arena: Arena, chosen: argparse.Namespace, console: Console) -> int:
    record: list[dict[str, Any]] = []
    wrong = False
    for group in dict.fromkeys(work.group for work in todo):
        found, remarks = [], []
        for work in [w for w in todo if w.group == group]:
            entrants = _measured(arena, work, console)
            found += (made := tables.rows(work, entrants))
            record += tables.record(made, entrants)
            remarks += [_remark(work, f) for f in entrants if f.failure]
        wrong |= any(PULLBACK in row.wrong for row in found)
        console.print(tables.table(group, found, list(arena.workers)))
        for words in dict.fromkeys(remarks):
            console.print(words, style="dim", highlight=False)
        console.print()
    state = arena.watch.done()
    _say_state(state, console)
    if chosen.json:
        _write(
            chosen.json,
            {
                "machine": machine.words(),
                "threads": chosen.threads,
                "clock": chosen.clock,
                "state": state,
                "versions": arena.versions,
                "figures": record,
            },
        )
    return int(wrong)


def _measured(arena: Arena, work: Work, console: Console) -> list[Figures]:
    """Its figures. On a terminal a line says what is going on; elsewhere stderr has a line for each work done."""
    start = time.perf_counter()
    try:
        with console.status(f"{work.group}: {work.name}"):
            return arena.measured(work)
    except FailureError as error:
        return [Figures(PULLBACK, "", failure=f"the float64 reference: {error}")]
    finally:
        if not console.is_terminal:
            print(f"{work.group}: {work.name}, {time.perf_counter() - start:.0f} s", file=sys.stderr)


def _remark(work: Work, f: Figures) -> str:
    return f"{work.name}: {f.library}{f' ({f.variant})' if f.variant else ''}: {f.failure}"


def _say_state(state: dict[str, float], console: Console) -> None:
    busy = state["load before"] > 0.5 or state["loop, median / quickest"] > 1.1 or state["loop, share of a CPU"] < 0.9
    console.print(
        "The machine meanwhile: " + "; ".join(f"{name} {value:.2f}" for name, value in state.items()),
        "Other work was running: absolute figures are worse than they could be, ratios are uncertain." if busy else "",
        highlight=False,
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new", delete=False) as file:
        json.dump(content, file, indent=1)
    os.replace(file.name, path)


if __name__ == "__main__":
    sys.exit(main())
