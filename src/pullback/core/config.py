"""Settings of the process. Few, each with one meaning; engines and modes read them."""

from __future__ import annotations

import os


class Config:
    """What a process may choose.

    threads: how many worker threads an engine uses; 0 is one a core (environment: PULLBACK_NUM_THREADS).
    functions_run_eagerly: `function` runs the Python each time, for debugging.
    plan_after: how often a program runs node by node before the CPU engine plans it (PULLBACK_PLAN_AFTER).
    engine: the one that computes where no other is chosen (PULLBACK_ENGINE): "cpu", "blas" or "reference".
    winograd: see the property (PULLBACK_WINOGRAD).
    """

    __slots__ = ("_winograd", "engine", "functions_run_eagerly", "plan_after", "threads")

    def __init__(self) -> None:
        self.threads = int(os.environ.get("PULLBACK_NUM_THREADS", "0"))
        self.functions_run_eagerly = False
        self.plan_after = int(os.environ.get("PULLBACK_PLAN_AFTER", "1"))
        self.engine = os.environ.get("PULLBACK_ENGINE", "")
        self.winograd = os.environ.get("PULLBACK_WINOGRAD", "auto")

    @property
    def winograd(self) -> str:
        """Minimal filtering (Winograd) in the CPU engine's convolutions at stride 1 and 2 with filters of 3x3 and
        5x5, in all three passes: "auto" unless said otherwise (environment: PULLBACK_WINOGRAD).

            "off"   every product, as in the definition                                                        6e-6
            "f2"    F(2x2,3x3), 2.25 times fewer products, for every such 3x3                                  1e-6
            "f4"    F(4x4,3x3), 4 times fewer, and F(2x2,5x5), 2.8 times fewer, for every such filter          5e-6
            both    at stride 2 F(2x2,3x3) and F(2x2,5x5), 1.4 and 2 times fewer                             1.3e-6
            "f4"    forward, of few channels at a stride, along rows alone: F(4,3) for 11x11 at stride 4     1.5e-6
            "auto"  of all these what is estimated to be fastest, never one with an error above 1e-5           6e-6

        Behind each the largest error met in float32, relative to the largest entry of the result, on normally and on
        evenly distributed numbers with up to 512 channels. Long sums lose more digits than the transforms do, so "f2"
        is the most accurate. In float64 "auto" is "off": what hangs on nothing but zeros stays zero. An infinity or NaN
        in the input reaches all pixels of the 2x2 or 4x4 tiles that it meets.
        """
        return self._winograd

    @winograd.setter
    def winograd(self, choice: str) -> None:
        if choice not in WINOGRAD:
            raise ValueError(f"config.winograd must be one of {', '.join(map(repr, WINOGRAD))}, but got {choice!r}")
        self._winograd = choice


WINOGRAD = ("off", "f2", "f4", "auto")


config = Config()
