"""The tour in a terminal: progress while it runs, then what came of it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table

from pullback.tour import Tour, run


def run_with_progress(console: Console, epochs: int) -> Tour:
    """The tour, with a bar for each training."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {
            style: progress.add_task(f"Training, {style}", total=None) for style in ("TensorFlow 1", "TensorFlow 2")
        }
        return run(epochs, lambda style, step, steps: progress.update(bars[style], completed=step, total=steps))


def show(console: Console, tour: Tour) -> None:
    """Prints the walk, the tables, the trainings, what the filters respond to, and the checks."""
    console.print(Rule("The chain rule, step by step: f = x²y + y + 2 at (3, 4)"))
    for line in (*tour.walk.first_pass(), "", *tour.walk.second_pass()):
        console.print(line, highlight=True)
    console.print(Rule("A convolution's gradient as a table"))
    console.print(tour.convolution)
    for line in (tour.convolution.sum_of_output((0, 0)), tour.convolution.sum_of_gradient((1, 1))):
        console.print(line)
    console.print(f"transposed: {tour.transposed.sum_of_output((2, 1))}")
    console.print(Rule("One network, trained twice"))
    console.print(_trainings(tour))
    console.print(f"The losses, step by step: {tour.said_apart}, in {len(tour.in_graph.losses)} steps.")
    console.print(Rule("What its filters respond to"))
    for channel in tour.channels:
        console.print(f"channel {channel.index:2}: the digits {' '.join(map(str, channel.labels))}")
    console.print(Rule("What was checked"))
    for check in tour.checks:
        mark = "[green]holds[/]" if check.held else "[bold red]fails[/]"
        console.print(f"{mark}  {check.claim} ({check.found})")


def farewell(console: Console, tour: Tour, report: Path, picture: Path) -> None:
    """Says where the files are."""
    console.print(Rule())
    console.print(f"The tour took {tour.seconds:.0f} seconds. The report, with pictures:")
    console.print(f"  {report.resolve()}", soft_wrap=True, highlight=False)
    console.print("What each of its filters looks for:")
    console.print(f"  {(report.parent / 'filters.html').resolve()}", soft_wrap=True, highlight=False)
    console.print("Its picture of what the filters see:")
    console.print(f"  {picture.resolve()}", soft_wrap=True, highlight=False)


def _trainings(tour: Tour) -> Table:
    out = Table("written for", "with", "first loss", "last loss", "held-out accuracy")
    for t in (tour.in_graph, tour.on_tape):
        out.add_row(t.style, t.means, f"{t.losses[0]:.6f}", f"{t.losses[-1]:.6f}", f"{t.accuracy:.2%}")
    return out
