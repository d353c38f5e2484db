"""`pullback check`: which TensorFlow names a program uses, and which of them are there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--tf1", "dialect", flag_value="tf1", help="Check against TensorFlow 1's names.")
@click.option("--tf2", "dialect", flag_value="tf2", help="Check against TensorFlow 2's names.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...], dialect: str | None, as_json: bool) -> None:
    """List the TensorFlow names that scripts, notebooks or whole folders use, without running them.

    Each with how often it is used and whether Pullback has it; for those it has not, what is near. Ends with exit
    status 1 when some are missing, 2 when nothing could be read.
    """
    from pullback.alias import check as checking
    from pullback.alias import source

    try:
        report = checking.check(paths, dialect)
    except source.SourceError as error:
        print(f"pullback: {error}", file=sys.stderr)
        sys.exit(2)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        show(report)
    sys.exit(1 if report.missing else 0)


def show(report: Any) -> None:
    """Prints a report as a table, the missing names last."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for line in report.unread:
        console.print(f"not read: {line}", markup=False)
    table = Table("name", "uses", "", "first used", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for symbol in sorted(report.symbols, key=lambda s: (not s.supported, -s.count, s.name)):
        note = "" if symbol.supported else f"missing; near: {', '.join(symbol.near) or 'nothing'}"
        table.add_row(symbol.name, str(symbol.count), f"now {symbol.old}" if symbol.old else note, symbol.first)
    if report.symbols:
        console.print(table)
    dialects = sorted(set(report.dialects.values()))
    spoken = " and ".join({"tf1": "TensorFlow 1", "tf2": "TensorFlow 2"}[d] for d in dialects)
    files = f"{len(report.dialects)} file{'' if len(report.dialects) == 1 else 's'}"
    have = len(report.symbols) - len(report.missing)
    console.print(f"{files}, {spoken}: {have} of {len(report.symbols)} names are there.", highlight=False)
