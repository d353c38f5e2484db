"""The command `pullback`: a file per command."""

from __future__ import annotations

import click

from pullback import __version__
from pullback.cli.check import check
from pullback.cli.run import run
from pullback.cli.see import see
from pullback.cli.tour import tour

__all__ = ["check", "main", "run", "see", "tour"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pullback")
def main() -> None:
    """Differentiation of array programs, behind the names TensorFlow users know."""


for command in (run, check, tour, see):
    main.add_command(command)
