"""`pullback run`: a TensorFlow program, as it stands."""

from __future__ import annotations

import sys

import click

# What follows the program's name is the program's.
_TAKES_ALL = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(context_settings=_TAKES_ALL, options_metavar="[--tf1|--tf2]")
@click.option("--tf1", "dialect", flag_value="tf1", help="Run it as TensorFlow 1: graphs and sessions.")
@click.option("--tf2", "dialect", flag_value="tf2", help="Run it as TensorFlow 2: at once.")
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT|NOTEBOOK [ARGS]...")
def run(dialect: str | None, module: str | None, arguments: tuple[str, ...]) -> None:
    """Run a TensorFlow program unchanged: in it, `import tensorflow` means Pullback.

    SCRIPT is a Python file or a notebook (.ipynb), whose code cells run in order. Whether it is written for
    TensorFlow 1 or 2 is read from the names it uses and printed; --tf1 and --tf2 decide instead. The exit status is the
    program's.
    """
    from pullback.alias import program, source

    if module is None and not arguments:
        raise click.UsageError("which program? Name a script, a notebook, or a module with -m.")
    target = module or arguments[0]
    rest = arguments if module else arguments[1:]
    try:
        sys.exit(program.run(target, rest, module is not None, dialect))
    except source.SourceError as error:
        print(f"pullback: {error}", file=sys.stderr)
        sys.exit(2)
