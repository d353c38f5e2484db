"""A layer's way back: one body of gradient nodes, run for as many seeds as one likes.

    images --forward, once--> layer, and what the rules read of it
    images <--body, each seed-- seed

The body is `backprop` under the rules of the method. It is made once a layer, stays outside of the model's graph (a
finalized one serves too), and holds one seed's cotangents at a time: memory does not grow with the channels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core import interpreter
from pullback.core.backprop import Rule, backprop
from pullback.core.dialect import floating
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.graph import Graph, ancestors
from pullback.core.shape import text
from pullback.core.tensor import EagerTensor, Tensor
from pullback.explain.see import order
from pullback.explain.see.network import MOST_VIEWS, Network, View
from pullback.explain.see.projections import Projections
from pullback.explain.see.selection import Part, Selection

# Images that are shown to the network at once.
BATCH = 16
# (parts done, parts in all)
Progress = Callable[[int, int], None]


class Pull:
    """From a layer back to the images, or to another layer `onto`.

    Raises:
      ArgumentError: the layer does not depend on `onto`.
    """

    def __init__(self, view: View, layer: Tensor, rules: dict[type, Rule] | None = None, onto: Tensor | None = None):
        self._view, self.layer = view, layer
        self._onto = onto = view.images if onto is None else onto
        self._body = Graph(view.graph.dialect, view.graph, "pulled")
        with self._body.as_default():
            seed = self._body.parameter(layer.spec, "seed")
            (dx,) = backprop([layer], [onto], [seed], ancestors([layer]), rules=rules, carries=floating)
            if dx is None:
                raise ArgumentError(
                    f"layer {layer.name!r} does not depend on {onto.name!r} in a way that has derivatives"
                ).locate()
            self._body.outputs = [self._body.adopt(interpreter.as_tensor(dx))]
        self._reads = [outer for outer, _ in self._body.captures.values()]
        self._first, self._onto_first = order.channels_first(layer), order.channels_first(onto)

    def forward(self, images: NDArray[Any]) -> Seen:
        """Shows images to the network."""
        symbolic = [t for t in self._reads if not isinstance(t, EagerTensor)]
        layer, onto, *values = self._view.run([self.layer, self._onto, *symbolic], images)
        found = {id(t): v for t, v in zip(symbolic, values, strict=True)}
        reads = [t.value if isinstance(t, EagerTensor) else found[id(t)] for t in self._reads]
        layer, onto = order.last(np.asarray(layer), self._first), order.last(np.asarray(onto), self._onto_first)
        return Seen(self, layer, onto, reads)

    def back(self, seed: NDArray[Any], reads: list[Any]) -> NDArray[Any]:
        """What arrives at the images (or at `onto`) of this seed; both channels last."""
        program = interpreter.engine().program(self._body)
        inside = {id(inner): v for (_, inner), v in zip(self._body.captures.values(), reads, strict=True)}
        seed = order.first(seed) if self._first else seed
        given = [inside.get(id(t), seed) for t in self._body.inputs]
        return order.last(np.asarray(program(interpreter.eager().store, *given)[0]), self._onto_first)


class Seen:
    """Images that a network has seen: the values of the layer and of `onto`, and what the way back needs."""

    def __init__(self, pull: Pull, layer: NDArray[Any], onto: NDArray[Any], reads: list[Any]) -> None:
        self.layer, self.onto, self._pull, self._reads = layer, onto, pull, reads

    def back(self, seed: NDArray[Any]) -> NDArray[Any]:
        """The cotangent of the images (or of `onto`), of this seed at the layer."""
        return self._pull.back(np.asarray(seed, self.layer.dtype), self._reads)


class Pulls:
    """A network's layer under one method's rules, for images of any shape."""

    def __init__(self, network: Network, layer: Any, rules: dict[type, Rule] | None = None, onto: Any = None) -> None:
        self.network, self._layer, self._rules, self._onto = network, layer, rules, onto
        self.name = layer if isinstance(layer, str) else getattr(layer, "name", str(layer))
        self._kept: dict[int, tuple[View, Pull]] = {}

    def seen(self, images: NDArray[Any]) -> Seen:
        """Shows a batch to the network."""
        view = self.network.view(images.shape, images.dtype)
        if id(view) not in self._kept:
            if len(self._kept) >= MOST_VIEWS:
                self._kept.clear()
            layer = view.layer(self._layer)
            onto = None if self._onto is None else view.layer(self._onto)
            self._kept[id(view)] = view, Pull(view, layer, self._rules, onto)
        with quiet():
            return self._kept[id(view)][1].forward(images)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Under the thread's eager interpreter, whose tapes hear nothing of what a tool computes."""
    eager = interpreter.eager()
    with interpreter.entered(eager), interpreter.paused_tapes():
        yield


def each_part(
    pulls: Pulls,
    images: NDArray[Any],
    selection: Selection,
    seeded: Callable[[NDArray[Any], Part], NDArray[Any]],
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Iterator[tuple[int, int, list[Part], NDArray[Any]]]:
    """Pulls back every part of every image, a batch and a part at a time.

    Args:
      images: [N,H,W,C].
      seeded: (one image's layer, part) -> where the way back begins, of the layer's shape.
    Yields:
      (first image of the batch, k, each image's k-th part, what came back [B,H,W,C]).
    """
    if batch < 1:
        raise ArgumentError(f"batch={batch}: give the number of images to show at once, from 1").locate()
    done, starts = 0, range(0, len(images), batch)
    for start in starts:
        seen = pulls.seen(images[start : start + batch])
        if seen.layer.ndim < 2 or len(seen.layer) != len(images[start : start + batch]):
            raise ShapeError(
                f"a layer of shape {text(seen.layer.shape)} is no batch of feature maps [N,P,Q,K] or features [N,K] "
                f"for {len(images[start : start + batch])} images"
            ).locate()
        parts = [selection.parts(layer) for layer in seen.layer]
        for k, column in enumerate(zip(*parts, strict=True)):
            seed = np.stack([seeded(layer, part) for layer, part in zip(seen.layer, column, strict=True)])
            with quiet():
                back = seen.back(seed)
            done += 1
            if progress is not None:
                progress(done, len(starts) * len(parts[0]))
            yield start, k, list(column), back


def projected(
    method: str,
    pulls: Pulls,
    images: Any,
    selection: Selection,
    seeded: Callable[[NDArray[Any], Part], NDArray[Any]],
    batch: int,
    progress: Progress | None,
    lead: str,
) -> Projections:
    """All parts of all images, pulled back and kept: see `each_part`."""
    shown = pulls.network.prepared(images)
    values: list[NDArray[Any]] = []
    parts: list[list[Part]] = [[] for _ in shown]
    for start, k, column, back in each_part(pulls, shown, selection, seeded, batch, progress):
        if k == len(values):
            values.append(np.empty((len(shown), *back.shape[1:]), back.dtype))
        values[k][start : start + len(back)] = back
        for i, part in enumerate(column):
            parts[start + i].append(part)
    return Projections(method, pulls.name, shown, np.stack(values, axis=1), parts, lead=lead)


def scored(pulls: Pulls, images: NDArray[Any], part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    """(the sum of a part's units for each image [B], its gradient by the pixels [B,H,W,C])."""
    seen = pulls.seen(images)
    seed = np.broadcast_to(part.within(seen.layer[0]), seen.layer.shape)
    with quiet():
        return score_of(seen.layer, part), seen.back(seed)


def score_of(layer: NDArray[Any], part: Part) -> NDArray[Any]:
    """The sum of a part's units for each image: [B] of a layer [B,...,K]."""
    chosen = layer * part.within(layer[0])
    return chosen.reshape(len(layer), -1).sum(axis=1, dtype=np.float64)
