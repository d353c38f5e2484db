"""The tour: what Pullback does, on numbers that can be checked by hand and on real digits.

walk -> tables -> the network, trained twice -> what its filters respond to -> report.html, tour.png
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import pullback as tf
from pullback.core.errors import ArgumentError
from pullback.explain import digits, pages
from pullback.explain.convolution import ConvolutionTables, convolution_tables, transposed_tables
from pullback.explain.hearing import explain
from pullback.explain.walk import Walk
from pullback.tour import drawing, network
from pullback.tour.network import Training
from pullback.tour.responses import Channel, strongest_responses

EPOCHS = 20
WANTED_ACCURACY = 0.97
SAME_LOSS = 1e-5
# Called as watch(style, step, steps) while a network trains.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Check:
    """Something the tour claims, and whether it held."""

    claim: str
    found: str
    held: bool


@dataclass(frozen=True)
class Tour:
    """All that the tour computed; the report and the terminal only show it."""

    walk: Walk
    convolution: ConvolutionTables
    transposed: ConvolutionTables
    held_out: digits.Digits
    in_graph: Training
    on_tape: Training
    channels: tuple[Channel, ...]
    epochs: int
    seconds: float

    @property
    def apart(self) -> float:
        """The largest relative difference of the two losses at any step."""
        return network.apart(self.in_graph, self.on_tape)

    @property
    def said_apart(self) -> str:
        return _apart(self.apart)

    @property
    def confusion(self) -> np.ndarray:
        """How often a digit (row) was read as a digit (column), by the network trained on the tape: [10,10]."""
        table = np.zeros((10, 10), np.int64)
        np.add.at(table, (self.held_out.labels, self.on_tape.told), 1)
        return table

    @property
    def checks(self) -> list[Check]:
        """What the tour claims. Accuracy is a claim only of a tour of full length."""
        x, y, c = self.walk.by_name("x"), self.walk.by_name("y"), self.convolution
        by_matrix = (c.a.ravel() @ c.sparse_matrix).reshape(c.y.shape)
        found = [
            Check(
                "the walk ends at 2xy = 24 and x² + 1 = 10",
                f"{x.derivative:g} and {y.derivative:g}",
                (x.derivative, y.derivative) == (24.0, 10.0),
            ),
            Check(
                "the convolution is the dense layer that its table says",
                _apart(float(np.abs(by_matrix - c.y).max())),
                bool(np.array_equal(by_matrix, c.y)),
            ),
            Check(
                "both trainings have the same loss at every step, to 1e-5 relative",
                f"{self.said_apart} in {len(self.in_graph.losses)} steps",
                len(self.in_graph.losses) == len(self.on_tape.losses) and self.apart <= SAME_LOSS,
            ),
        ]
        for training in (self.in_graph, self.on_tape) if self.epochs >= EPOCHS else ():
            claim = f"over {WANTED_ACCURACY:.0%} of held-out digits read rightly ({training.style})"
            found.append(Check(claim, f"{training.accuracy:.2%}", training.accuracy > WANTED_ACCURACY))
        return found


def run(epochs: int = EPOCHS, watch: Watch | None = None, data: digits.Split | None = None) -> Tour:
    """Computes the tour.

    Args:
      epochs: how often each training sees every digit.
      watch: told of each training step.
      data: digits to train with and to judge by; by default all 1,797.
    Raises:
      ArgumentError: epochs is less than one, or there are fewer digits than one batch.
    """
    data = data or digits.split()
    count = network.steps(data.train, epochs)
    if epochs < 1 or count < 1:
        raise ArgumentError(
            f"tour: epochs is {epochs}, with {len(data.train.labels)} digits; there must be a step to take"
        )
    began = time.perf_counter()
    start = network.initial()

    def told(style: str) -> network.Progress:
        return lambda step: watch(style, step, count) if watch else None

    # Products this small gain nothing by BLAS threads, which wait in a spin: on a busy machine ten times the time.
    with threadpool_limits(1, "blas"):
        in_graph = network.train_in_graph(data, epochs, start, told("TensorFlow 1"))
        on_tape = network.train_on_tape(data, epochs, start, told("TensorFlow 2"))
    a, w = np.arange(1.0, 10.0).reshape(3, 3), np.arange(1.0, 5.0).reshape(2, 2)
    return Tour(
        example_walk(),
        convolution_tables(a, w),
        transposed_tables(a, w, (4, 4)),
        data.held_out,
        in_graph,
        on_tape,
        strongest_responses(data.held_out, on_tape.weights),
        epochs,
        time.perf_counter() - began,
    )


def _apart(difference: float) -> str:
    return f"at most {difference:.2g} apart" if difference else "no difference at all"


def example_walk() -> Walk:
    """The chain rule of f = x^2 y + y + 2 at (3, 4), a line a node."""
    x, y = tf.constant(3.0, tf.float64), tf.constant(4.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        n4 = x * x
        n5 = n4 * y
        n6 = y + 2
        n7 = n5 + n6
    return explain(n7, [x, y], tape=tape, names=["x", "y"])


def write(tour: Tour, out: Path) -> tuple[Path, Path]:
    """Writes report.html, filters.html and tour.png into the folder `out`, which is made where there is none.

    Each file appears whole or not at all.

    Returns:
      (path of the report, path of the picture).
    Raises:
      OSError: the folder or a file cannot be written.
    """
    from pullback.tour import filters
    from pullback.tour.report import page

    out.mkdir(parents=True, exist_ok=True)
    report, picture = out / "report.html", out / "tour.png"
    pages.write(picture, drawing.mosaic(tour.channels))
    filters.page(tour).save(out / "filters.html")
    pages.write(report, page(tour).encode("utf-8"))
    return report, picture
