"""Settings of the process. Few, each with one meaning; engines and modes read them."""

from __future__ import annotations

import os


class Config:
    """What a process may choose.

    threads: how many worker threads an engine uses; 0 is one a core (environment: PULLBACK_NUM_THREADS).
    functions_run_eagerly: `function` runs the Python each time, for debugging.
    """

    __slots__ = ("functions_run_eagerly", "threads")

    def __init__(self) -> None:
        self.threads = int(os.environ.get("PULLBACK_NUM_THREADS", "0"))
        self.functions_run_eagerly = False


config = Config()
