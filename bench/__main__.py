"""`make bench`: prints every measurement, and what else the machine was doing."""

from __future__ import annotations

import os
import platform

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import overhead


def main() -> None:
    console = Console()
    load = os.getloadavg()[0]
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}; "
        f"load before the run: {load:.2f}"
        + (" - other work is running, figures are worse than they could be" if load > 0.5 else "")
    )
    table = Table(title="Overhead")
    for column in ("what", "pullback", "compare"):
        table.add_column(column)
    overhead.report(lambda *cells: table.add_row(*cells))
    console.print(table)


main()
