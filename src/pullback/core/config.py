"""Settings of the process. Few, each with one meaning; engines and modes read them."""

from __future__ import annotations

import os


class Config:
    """What a process may choose.

    threads: how many worker threads an engine uses; 0 is one a core (environment: PULLBACK_NUM_THREADS).
    functions_run_eagerly: `function` runs the Python each time, for debugging.
    plan_after: how often a program runs node by node before the CPU engine plans it (PULLBACK_PLAN_AFTER).
    engine: the one that computes where no other is chosen (PULLBACK_ENGINE): "cpu", "blas" or "reference".
    """

    __slots__ = ("engine", "functions_run_eagerly", "plan_after", "threads")

    def __init__(self) -> None:
        self.threads = int(os.environ.get("PULLBACK_NUM_THREADS", "0"))
        self.functions_run_eagerly = False
        self.plan_after = int(os.environ.get("PULLBACK_PLAN_AFTER", "1"))
        self.engine = os.environ.get("PULLBACK_ENGINE", "")


config = Config()
