"""`python -m pullback` is the command `pullback`."""

from __future__ import annotations

from pullback.cli import main

main(prog_name="pullback")
