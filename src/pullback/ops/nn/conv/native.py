"""The three passes of a convolution as machine code; see native/sliding.py, native/gathering.py and, for the
forms that take fewer products, native/winograd.py.

To the input, each phase of dx is a convolution of dy at stride 1 with every s-th tap, turned round; with few channels
it goes by what each pixel gives to its window, native/scattering.py, or with lanes along what is summed,
native/across.py.
"""

from __future__ import annotations

from math import inf, prod
from typing import Any, NamedTuple

from pullback.core.op import lowering
from pullback.native import cost, lined, winograd
from pullback.native.across import add_across
from pullback.native.blocked import add_product
from pullback.native.gathering import to_filter
from pullback.native.machine import host
from pullback.native.packing import CHUNK, pack, pack_turned, packed_size
from pullback.native.scattering import add_scatter
from pullback.native.sliding import Pass, add_slide, whole_range
from pullback.native.stacking import Depth, add_unstack, exchanged, stacked
from pullback.native.strided import first_reached
from pullback.native.tiles import channel_blocks, chosen, runs_on
from pullback.native.winograd_deep import add_winograd_deep
from pullback.native.winograd_deep_filter import add_winograd_deep_filter
from pullback.native.winograd_filter import add_winograd_filter
from pullback.ops.nn.conv import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
    shapes,
)
from pullback.ops.nn.conv.window import Geometry

# Each group has jobs of its own; with more of them, the engine's other kernels are left to it.
MOST_GROUPS = 64


@lowering("native", Conv2D)
def conv2d(op: Any, task: Any) -> Any:
    """y of x and w."""
    (x, w), (y,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, w.shape, None, "forward")
    if not _suits(op, x, w, x.shape[3]) or not w.size:
        return NotImplemented
    forward(task, x, w, y, op, at)
    return None


def _suits(op: Any, x: Any, w: Any, channels: int) -> bool:
    """Whether there are kernels for the types, the layout and the number of groups."""
    groups = channels // w.shape[2] if w.shape[2] else 1
    return runs_on(x) and op.data_format == "NHWC" and 1 <= groups <= MOST_GROUPS


def forward(task: Any, x: Any, w: Any, y: Any, op: Any, at: Geometry) -> None:
    """Packs w and slides it. A window of one pixel at stride 1 is a product of matrices."""
    (KH, KW, c, K), groups = w.shape, x.shape[3] // w.shape[2]
    if (KH, KW) == (1, 1) and tuple(op.strides) == (1, 1) and not at.padded and groups == 1:
        pixels = prod(x.shape[:3])
        add_product(task, x.seen((pixels, c)), w.seen((c, K)), y.seen((pixels, K)))
        return
    P, Q = at.outs
    steps = (P * Q * K, Q * K, K)
    pixels, by_two = x.shape[0] * P * Q, cost.paired(x.kind, (KH, KW), op)
    few = inf if groups > 1 else cost.crossed(x.kind, pixels, (KH, KW), c, K, by_two)
    outputs = minimal_outputs(x, op, (KH, KW), cost.Sizes(x.shape[0], P, Q, c, K, KH, op.strides[0]), rival=few)
    if outputs and groups == 1:
        made = winograd.Pass(x.shape, at.outs, K, KH, at.before, steps, op.strides[0])
        _add_minimal(task, x, w, y, made, outputs, turned=False)
        return
    plain = groups == 1 and tuple(op.dilations) == (1, 1)
    if plain and cost.by_rows(x.kind) and lined.suits((KH, KW), op.strides[1], c):
        lined.add_lined(task, x, w, y, op.strides, at.outs, at.before)
        return
    lanes, k, taps = host().lanes(x.kind), K // groups, KH * KW * c
    made = Pass(x.shape, at.outs, (KH, KW), c, k, op.strides, op.dilations, at.before, steps)
    if few < cost.direct(x.kind, pixels, K, taps):
        add_across(task, x, w, y, made, turned=False, paired=by_two)
        return
    first, beyond = whole_range(x.shape[2], KW, op.strides[1], op.dilations[1], at.before[1], Q)
    block = chosen(host(), max(beyond - first, 1), k, lanes)
    whole, last, _ = channel_blocks(k, lanes, block.vectors)
    for g in range(groups):
        packed = task.scratch((packed_size(taps, k, block.vectors, lanes),), x.dtype)
        words = [w.part(g * k), packed, taps, k, K, whole]
        task.job(pack, (x.kind, block.vectors, last), words, items=taps)
        add_slide(task, x.part(g * c), packed, y.part(g * k), made)


def minimal_outputs(x: Any, op: Any, kernel: tuple[int, int], at: cost.Sizes, **others: Any) -> int:
    """m of the form F(m, r) that a pass uses; 0: another way."""
    plain = kernel[0] == kernel[1] and op.strides[0] == op.strides[1] and tuple(op.dilations) == (1, 1)
    return cost.outputs_of(x.kind, at, **others) if plain else 0


def _add_minimal(task: Any, x: Any, w: Any, y: Any, at: winograd.Pass, outputs: int, turned: bool) -> None:
    """A pass by minimal filtering in the quicker of its two ways."""
    parted = 1 if at.phase is None else at.stride
    sizes = cost.Sizes(
        at.image[0], -(-at.outs[0] // parted), -(-at.outs[1] // parted), at.image[3], at.makes, at.taps, at.stride
    )
    add = add_winograd_deep if cost.deep(x.kind, sizes, outputs) else winograd.add_winograd
    add(task, x, w, y, at, outputs, turned)


class Phase(NamedTuple):
    """The cells of dx along an axis that the same taps reach, of stride s: taps a, a + s, ...; cells i, i + s, ..."""

    a: int
    taps: int
    i: int
    cells: int
    before: int  # padding of dy in the convolution that makes them


def phases(n: int, k: int, s: int, d: int, before: int) -> list[Phase]:
    """The phases of an axis of n cells. The cell i and tap a + s j meet dy at (i + before - a) / s - j."""
    found = []
    for a in range(s):
        taps = len(range(a, k, s))
        i = (a - before) % s
        first = (i + before - a) // s
        found.append(Phase(a, taps, i, max(0, -(-(n - i) // s)), (taps - 1) * d - first))
    return found


@lowering("native", Conv2DBackpropInput)
def backprop_input(op: Any, task: Any) -> Any:
    """dx of w and dy."""
    (_, w, dy), (dx,) = task.inputs, task.outputs
    at = shapes.settled(op, dx.shape, w.shape, dy.shape, "to_input")
    if not _suits(op, dy, w, dx.shape[3]) or not w.size or not (in_phases(op) or w.shape[2] == dx.shape[3]):
        return NotImplemented
    to_input(task, w, dy, dx, op, at)
    return None


def in_phases(op: Any) -> bool:
    """Whether along each axis either the stride or the dilation is 1."""
    return all(s == 1 or d == 1 for s, d in zip(op.strides, op.dilations, strict=True))


def to_input(task: Any, w: Any, dy: Any, dx: Any, op: Any, at: Geometry) -> None:
    """The gradient to the input in the way that is estimated to be fastest."""
    (N, H, W, C), (KH, KW, c, K) = dx.shape, w.shape
    if c < C:
        add_phases(task, w, dy, dx, op, at)
        return
    if (KH, KW) == (1, 1) and tuple(op.strides) == (1, 1) and not at.padded:
        add_product(task, dy.seen((N * H * W, K)), w.seen((C, K)), dx.seen((N * H * W, C)), turned=True)
        return
    scattered = cost.scattered(dy.kind, N * prod(at.outs), (KH, KW), C, K)
    s, by_two, crossed = op.strides[0], cost.paired(dy.kind, (KH, KW), op), inf
    if tuple(op.strides) == (1, 1):
        crossed = cost.crossed(dy.kind, N * H * W, (KH, KW), K, C, by_two)
    sizes = cost.Sizes(N, -(-H // s), -(-W // s), K, C, KH, s)
    outputs = minimal_outputs(dy, op, (KH, KW), sizes, rival=min(scattered, crossed))
    phase = at.before[0] % s
    if outputs and phase == at.before[1] % s:
        first = first_reached(phase, KH, s)
        before = -(at.before[0] // s + first), -(at.before[1] // s + first)
        made = winograd.Pass((N, *at.outs, K), (H, W), C, KH, before, (H * W * C, W * C, C), s, phase)
        _add_minimal(task, dy, w, dx, made, outputs, turned=True)
        return
    if crossed < min(scattered, cost.direct(dy.kind, N * H * W, C, KH * KW * K)):
        before = tuple([(k - 1) * d - b for k, d, b in zip((KH, KW), op.dilations, at.before, strict=True)])
        made = Pass((N, *at.outs, K), (H, W), (KH, KW), K, C, (1, 1), op.dilations, before, (H * W * C, W * C, C))
        add_across(task, dy, w, dx, made, turned=True, paired=by_two)
        return
    if not in_phases(op) or scattered < cost.direct(dy.kind, N * H * W, C, KH * KW * K / prod(op.strides)):
        add_scatter(task, w, dy, dx, op.strides, op.dilations, at.outs, at.before)
        return
    add_phases(task, w, dy, dx, op, at)


def add_phases(task: Any, w: Any, dy: Any, dx: Any, op: Any, at: Geometry) -> None:
    """Each phase of dx, for each group, as a convolution of dy. Along an axis the stride or the dilation is 1."""
    (_, H, W, C), (KH, KW, c, _) = dx.shape, w.shape
    (s, t), dilations = op.strides, op.dilations
    for down in phases(H, KH, s, dilations[0], at.before[0]):
        for over in phases(W, KW, t, dilations[1], at.before[1]):
            for g in range(C // c) if down.cells and over.cells else ():
                _add_phase(task, w, dy, dx, op, at, (down, over), g)


def _add_phase(task: Any, w: Any, dy: Any, dx: Any, op: Any, at: Geometry, of: tuple[Phase, Phase], g: int) -> None:
    """One phase of group g."""
    (N, H, W, C), (_, KW, c, K), lanes = dx.shape, w.shape, host().lanes(dy.kind)
    (s, t), (down, over), k = op.strides, of, K // (C // c)
    taps = (down.taps, over.taps) if down.taps and over.taps else (0, 1)
    first, beyond = whole_range(at.outs[1], taps[1], 1, op.dilations[1], over.before, over.cells)
    block = chosen(host(), max(beyond - first, 1), c, lanes)
    _, last, _ = channel_blocks(c, lanes, block.vectors)
    packed = task.scratch((packed_size(max(1, prod(taps)) * k, c, block.vectors, lanes),), dy.dtype)
    words = [w.part(g * k), packed, K, c, k, KW, down.a, over.a, s, t, *taps]
    task.job(pack_turned, (dy.kind, block.vectors, last), words, items=prod(taps) * -(-k // CHUNK))
    steps, before = (H * W * C, s * W * C, t * C), (down.before, over.before)
    made = Pass((N, *at.outs, K), (down.cells, over.cells), taps, k, c, (1, 1), op.dilations, before, steps)
    add_slide(task, dy.part(g * k), packed, dx.part((down.i * W + over.i) * C + g * c), made)


@lowering("native", Conv2DBackpropFilter)
def backprop_filter(op: Any, task: Any) -> Any:
    """dw of x and dy."""
    (x, _, dy), (dw,) = task.inputs, task.outputs
    at = shapes.settled(op, x.shape, dw.shape, dy.shape, "to_filter")
    if not _suits(op, x, dw, x.shape[3]):
        return NotImplemented
    filter_gradient(task, x, dy, dw, op, at)
    return None


def filter_gradient(task: Any, x: Any, dy: Any, dw: Any, op: Any, at: Geometry) -> None:
    """The gradient to the filter in the way that is estimated to be fastest."""
    (KH, KW, C, K), (P, Q) = dw.shape, at.outs
    sizes = cost.Sizes(x.shape[0], P, Q, C, K, KH, op.strides[0])
    outputs = minimal_outputs(x, op, (KH, KW), sizes, to_filter=True)
    if outputs and x.shape[3] == C:
        add = add_winograd_deep_filter if cost.deep(x.kind, sizes, outputs, to_filter=True) else add_winograd_filter
        add(task, x, dy, dw, at.outs, at.before, outputs, op.strides[0])
        return
    to_filter(task, x, dy, dw, op.strides, op.dilations, at.outs, at.before)


# --- volumes ---------------------------------------------------------------------------------------------------------


class _Flat(NamedTuple):
    """The convolution of images that one of volumes is, once planes are channels; see native/stacking.py."""

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    at: Geometry
    depth: Depth
    groups: int


def _flat(op: Any, volume: Any, w: Any, at: Geometry) -> _Flat | None:
    """None where there are no kernels."""
    groups = volume.shape[4] // w.shape[3] if w.shape[3] else 1
    if not runs_on(volume) or op.data_format != "NDHWC" or not w.size or groups > MOST_GROUPS:
        return None
    depth = Depth(w.shape[0], op.strides[0], op.dilations[0], at.before[0], at.outs[0])
    return _Flat(op.strides[1:], op.dilations[1:], Geometry(*(axis[1:] for axis in at)), depth, groups)


def _exchanged(task: Any, w: Any) -> Any:
    """w [U,R,S,c,K] as [R,S,U c,K]."""
    U, R, S, c, K = w.shape
    made = w.seen((R, S, c, K)) if U == 1 else task.scratch((R, S, U * c, K), w.dtype)
    if U > 1:
        exchanged(task, w, made, (U, R * S, c * K))
    return made


def _images(volumes: Any) -> Any:
    """[N,O,P,Q,K] as [N O,P,Q,K]."""
    return volumes.seen((volumes.shape[0] * volumes.shape[1], *volumes.shape[2:]))


@lowering("native", Conv3D)
def conv3d(op: Any, task: Any) -> Any:
    """y of x and w."""
    (x, w), (y,) = task.inputs, task.outputs
    flat = _flat(op, x, w, shapes.settled(op, x.shape, w.shape, None, "forward"))
    if flat is None:
        return NotImplemented
    image = stacked(task, x, flat.depth, flat.groups)
    forward(task, image, _exchanged(task, w), _images(y), flat, flat.at)
    return None


@lowering("native", Conv3DBackpropInputV2)
def backprop_volume(op: Any, task: Any) -> Any:
    """dx of w and dy."""
    (_, w, dy), (dx,) = task.inputs, task.outputs
    flat = _flat(op, dx, w, shapes.settled(op, dx.shape, w.shape, dy.shape, "to_input"))
    if flat is None or not (in_phases(flat) or flat.groups == 1):
        return NotImplemented
    N, D, H, W, C = dx.shape
    shape, same = (N * flat.depth.outs, H, W, flat.depth.taps * C), flat.depth.same(D)
    image = dx.seen(shape) if same else task.scratch(shape, dx.dtype)
    to_input(task, _exchanged(task, w), _images(dy), image, flat, flat.at)
    if not same:
        add_unstack(task, image, dx, flat.depth, flat.groups)
    return None


@lowering("native", Conv3DBackpropFilterV2)
def backprop_volume_filter(op: Any, task: Any) -> Any:
    """dw of x and dy."""
    (x, _, dy), (dw,) = task.inputs, task.outputs
    flat = _flat(op, x, dw, shapes.settled(op, x.shape, dw.shape, dy.shape, "to_filter"))
    if flat is None:
        return NotImplemented
    U, R, S, c, K = dw.shape
    image = stacked(task, x, flat.depth, flat.groups)
    made = dw.seen((R, S, c, K)) if U == 1 else task.scratch((R, S, U * c, K), dw.dtype)
    filter_gradient(task, image, _images(dy), made, flat, flat.at)
    if U > 1:
        exchanged(task, made, dw, (R * S, U, c * K))
    return None
