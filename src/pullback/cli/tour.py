"""`pullback tour`: numbers, tables, a network trained on digits."""

from __future__ import annotations

import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pullback-tour"),
    show_default=True,
    help="Folder for the report and the picture; made where there is none.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How often each training sees every digit.",
)
@click.option("--open", "open_", is_flag=True, help="Open the report in the browser when it is done.")
def tour(out: Path, epochs: int, open_: bool) -> None:
    """See what Pullback does: numbers, tables, a network trained on digits.

    Takes some seconds. Ends with exit status 1 when a claim that it checks does not hold.
    """
    from rich.console import Console

    from pullback.tour import terminal, write

    console = Console()
    with written_to(out):  # found out before the work, not after it
        out.mkdir(parents=True, exist_ok=True)
    with plain_errors():
        found = terminal.run_with_progress(console, epochs)
    terminal.show(console, found)
    with written_to(out):
        report, picture = write(found, out)
    terminal.farewell(console, found, report, picture)
    if open_ and not webbrowser.open(report.resolve().as_uri()):
        console.print("No browser could be started; open the report by hand.")
    failed = [check.claim for check in found.checks if not check.held]
    if failed:
        raise click.ClickException(f"does not hold: {'; '.join(failed)}")


@contextmanager
def written_to(out: Path) -> Iterator[None]:
    """Says which folder cannot be written, why, and what to do."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise click.ClickException(f"cannot write to {out}: {why}. Choose another folder with --out.") from None


@contextmanager
def plain_errors() -> Iterator[None]:
    """Says in one line what a user can mend; everything else keeps its traceback."""
    from pullback.core.errors import OpError

    try:
        yield
    except OpError as error:
        raise click.ClickException(_without_our_line(str(error))) from None


def _without_our_line(message: str) -> str:
    """The message without the line that called the command, which is click's and no user's."""
    return re.sub(rf" \({re.escape(Path(click.core.__file__).name)}:\d+\)$", "", message)
