"""Volumes as images: the planes that a window reaches in depth lie side by side as channels, so that a convolution of
volumes is one of images, with a filter whose taps in depth are channels too.

    stacked[n, o, h, w, g, u, c] = x[n, o z + u f - front, h, w, g, c], zero outside      g: group, u: tap in depth
    filter [U,R,S,c,K] --> [R,S,U,c,K]
    dx[n, d, h, w, g, c] = the sum over u of stacked[n, o, h, w, g, u, c] where o z + u f - front = d
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.channelwise import over_channels
from pullback.native.ir import I64, Module, Type, Value
from pullback.native.machine import host
from pullback.native.moving import add_move, dense
from pullback.native.packing import clear


class Depth(NamedTuple):
    """A window's axis of depth: taps U, stride z, dilation f, planes of padding in front, O planes of results."""

    taps: int
    stride: int
    dilation: int
    front: int
    outs: int

    def same(self, planes: int) -> bool:
        """Whether a volume of so many planes is its own stack."""
        return self.taps == self.stride == 1 and not self.front and self.outs == planes

    def reached(self, tap: int, planes: int) -> range:
        """The results for which a tap lies inside."""
        shift = tap * self.dilation - self.front
        first, beyond = -(-max(0, -shift) // self.stride), -(-max(0, planes - shift) // self.stride)
        return range(min(first, self.outs), min(beyond, self.outs))


def stacked(task: Any, x: Any, depth: Depth, groups: int) -> Any:
    """Adds the jobs that stack x [N,D,H,W,C]: [N O,H,W,U C]."""
    N, D, H, W, C = x.shape
    shape = N * depth.outs, H, W, depth.taps * C
    if depth.same(D):
        return x.seen(shape)
    made, c = task.scratch(shape, x.dtype), C // groups
    task.job(clear, (x.kind,), [made], items=made.size)
    plane, wide = H * W * C, H * W * shape[3]
    for u in range(depth.taps):
        outs = depth.reached(u, D)
        first = (outs.start * depth.stride + u * depth.dilation - depth.front) * plane
        sizes, to = (N, len(outs), H * W, groups, c), outs.start * wide + u * c
        xs = D * plane, depth.stride * plane, C, c, 1
        ys = depth.outs * wide, wide, shape[3], depth.taps * c, 1
        if x.size and outs:
            add_move(task, x, made, sizes, xs, ys, first, to)
    return made


def exchanged(task: Any, source: Any, to: Any, sizes: tuple[int, int, int]) -> None:
    """Adds the copy of an array of these sizes with its first two axes exchanged."""
    a, _, run = sizes
    add_move(task, source, to, sizes, dense(sizes), [run, a * run, 1])


_WORDS = ("D", "H", "W", "groups", "c", "U", "z", "f", "front", "O")


def unstack(module: Module, kind: Type) -> None:
    """Kernel: dx of its stack. Items are rows of dx."""
    lanes = host().lanes(kind)
    with module.kernel("unstack", source=kind.pointer, dx=kind.pointer, **dict.fromkeys(_WORDS, I64)) as (
        f,
        source,
        dx,
        *numbers,
    ):
        n: dict[str, Value] = dict(zip(_WORDS, numbers, strict=True))
        C, c = n["groups"] * n["c"], n["c"]
        with f.loop(f.begin, f.end) as item:
            h, plane = item % n["H"], item // n["H"]
            image, d, row = plane // n["D"], plane % n["D"], dx.at(item * n["W"] * C)
            f.clear(row, n["W"] * C)
            with f.loop(0, n["U"]) as u:
                at = d + n["front"] - u * n["f"]
                inside = (at >= 0) & (at % n["z"]).equals(0) & (at < n["O"] * n["z"])
                with f.when(inside), f.loop(0, n["W"] * n["groups"]) as i:
                    o = image * n["O"] + at // n["z"]
                    group = source.at((((o * n["H"] + h) * n["W"] * n["groups"] + i) * n["U"] + u) * c)
                    to = row.at(i * c)

                    def some(first: Any, _: int, mask: Value | None) -> None:
                        to.store(to.load(first, lanes, mask) + group.load(first, lanes, mask), first, mask)

                    over_channels(f, c, lanes, some)


def add_unstack(task: Any, source: Any, dx: Any, depth: Depth, groups: int) -> None:
    """Adds the job that sums dx [N,D,H,W,C] over its stack."""
    N, D, H, W, C = dx.shape
    numbers = D, H, W, groups, C // groups, *depth
    task.job(unstack, (dx.kind,), [source, dx, *numbers], items=N * D * H if W * C else 0)
