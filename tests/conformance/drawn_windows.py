"""Random cases of convolution, pooling, unpooling and patches: an op and its arguments, of every shape, stride,
padding, dilation, group, layout and type.

Values are small whole numbers, so that sums are exact, ties are frequent, and a misplaced one shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.core import dtypes
from pullback.core.errors import OpError
from pullback.core.op import REGISTRY
from pullback.ops.image.patches import ExtractImagePatches, ExtractVolumePatches
from pullback.ops.nn.conv import shapes
from pullback.ops.nn.pool.fractional import FractionalMaxPool

Rng = np.random.Generator


class Drawn(NamedTuple):
    """An op and the arrays that it runs on."""

    op: Any
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.op!r} on {', '.join(f'{a.dtype.name}{list(a.shape)}' for a in self.args)}"


def case(rng: Rng) -> Drawn:
    """One random case; where the window does not fit its image, another is drawn."""
    while True:
        draw = DRAWS[rng.integers(len(DRAWS))]
        try:
            with np.errstate(all="ignore"):
                return draw(rng)
        except OpError:
            continue


def values(rng: Rng, shape: Any, dtype: Any) -> Any:
    low = 0 if dtype.name.startswith("u") else -4
    drawn = rng.integers(low, 5, tuple(shape))
    return (drawn + 1j * rng.integers(-4, 5, tuple(shape)) if dtype.is_complex else drawn).astype(dtype.numpy)


def sizes(rng: Rng, rank: int) -> list[int]:
    """Mostly small ones; now and then an axis of another order, or none at all."""
    drawn = rng.integers(1, 8, rank)
    if rng.random() < 0.2:
        drawn[rng.integers(rank)] = rng.integers(8, 40 if rank < 3 else 16)
    if rng.random() < 0.01:
        drawn[rng.integers(rank)] = 0
    return drawn.tolist()


def batch(rng: Rng) -> int:
    return int(rng.choice([0, 1, 1, 2, 3, 5], p=[0.02, 0.3, 0.3, 0.2, 0.13, 0.05]))


def numbers(rng: Rng, rank: int, most: int) -> tuple[int, ...]:
    """A number for each axis; often one for all, and often 1."""
    kind = rng.random()
    if kind < 0.4:
        return (1,) * rank
    return (int(rng.integers(1, most + 1)),) * rank if kind < 0.6 else tuple(rng.integers(1, most + 1, rank).tolist())


def padding(rng: Rng, rank: int, most: Any = None) -> Any:
    """A word, or pairs of numbers below `most`."""
    kind = rng.random()
    if kind < 0.7:
        return "SAME" if kind < 0.35 else "VALID"
    most = (4,) * rank if most is None else most
    return tuple((int(rng.integers(m)), int(rng.integers(m))) for m in most)


def layout(rng: Rng, rank: int) -> str:
    return {2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}[rank][int(rng.random() < 0.3)]


def one_of(rng: Rng, types: Any) -> Any:
    return types[rng.integers(len(types))]


# --- convolution ------------------------------------------------------------------------------------------------------


def convolution(family: tuple[str, str, str], rank: int, depthwise: bool = False) -> Callable[[Rng], Drawn]:
    """Draws one of three passes."""

    def draw(rng: Rng) -> Drawn:
        which, dtype = rng.integers(3), one_of(rng, dtypes.FLOATS)
        op = REGISTRY[family[which]](
            numbers(rng, rank, 3), padding(rng, rank), layout(rng, rank), numbers(rng, rank, 3)
        )
        groups = int(rng.integers(1, 5)) if rng.random() < 0.3 else 1
        c, k = (int(n) for n in rng.integers(1, 5 if rng.random() < 0.9 else 17, 2))
        C, w_ends = (c, (c, k)) if depthwise else (groups * c, (c, groups * k))
        x = shapes.in_format((batch(rng), *sizes(rng, rank), C), op.data_format)
        w = (*rng.integers(1, 5 if rank == 2 else 4, rank).tolist(), *w_ends)
        y = shapes.forward(op, x, w)
        given = {0: (x, w), 1: (np.array(x, np.int32), w, y), 2: (x, np.array(w, np.int32), y)}[int(which)]
        return Drawn(op, tuple([a if isinstance(a, np.ndarray) else values(rng, a, dtype) for a in given]))

    return draw


# --- pooling ----------------------------------------------------------------------------------------------------------


def pooling(kind: str, rank: int) -> Callable[[Rng], Drawn]:
    """Draws a pooling, or one of its gradients."""

    def draw(rng: Rng) -> Drawn:
        cls = REGISTRY[kind]
        dtype = one_of(rng, cls.T)
        ksize = tuple(rng.integers(1, 5, rank).tolist())
        fields = [ksize, numbers(rng, rank, 3), padding(rng, rank, ksize)]
        if "data_format" in cls.fields:
            fields.append(layout(rng, rank))
        elif not isinstance(fields[2], str):
            fields[2] = "SAME"
        op = cls(*fields)
        x = (batch(rng), *sizes(rng, rank), int(rng.integers(1, 6)))
        x = shapes.in_format(x, op.data_format)
        y = op.pooled(x)
        image = values(rng, x, dtype)
        if dtype.is_floating and rng.random() < 0.1 and image.size:
            image.reshape(-1)[rng.integers(image.size, size=2)] = rng.choice([np.nan, np.inf, -np.inf], 2)
        if kind.startswith("Avg"):
            image = values(rng, x, dtype)
            return Drawn(op, (np.array(x, np.int32), values(rng, y, dtype)) if kind.endswith("Grad") else (image,))
        if "Grad" not in kind:
            return Drawn(op, (image,))
        g = values(rng, x if "GradGrad" in kind else y, dtype)
        if kind.endswith("WithArgmax"):
            at = REGISTRY["MaxPoolWithArgmax"](*fields).reference(image)[1]
            return Drawn(op, (image, g, at))
        return Drawn(op, (image, op.sibling(0).reference(image), g))

    return draw


def unpooling(rng: Rng) -> Drawn:
    """Switches that meet anywhere, in images of any rank."""
    dtype, with_batch = one_of(rng, dtypes.NUMBERS), bool(rng.random() < 0.3)
    to = (batch(rng), *sizes(rng, int(rng.integers(1, 4))))
    room = int(np.prod(to if with_batch else to[1:]))
    at_shape = (to[0], *sizes(rng, 2)) if room else (to[0], 0)
    at = rng.integers(0, max(room, 1), at_shape).astype(one_of(rng, [np.int32, np.int64]))
    if rng.random() < 0.5:
        return Drawn(REGISTRY["Unpool"](with_batch), (values(rng, at.shape, dtype), at, np.array(to, np.int32)))
    return Drawn(REGISTRY["Repool"](with_batch), (values(rng, to, dtype), at))


def fractional(rng: Rng) -> Drawn:
    """A fractional pooling or one of its gradients, by a sequence that the pooling drew."""
    kind = one_of(rng, [f"Fractional{m}Pool{g}" for m in ("Max", "Avg") for g in ("", "Grad", "GradGrad")])
    dtype, x = one_of(rng, REGISTRY[kind].T), (batch(rng), *sizes(rng, 2), int(rng.integers(1, 4)))
    ratio = (1.0, *rng.uniform(1, 3, 2).tolist(), 1.0)
    pool = FractionalMaxPool(ratio, bool(rng.integers(2)), bool(rng.integers(2)))
    pool.pooled(x)
    drawn = np.array(rng.integers(1 << 60)), rng.integers(0, 1 << 60, 2)
    image = values(rng, x, dtype)
    if not kind.endswith("Grad"):
        return Drawn(REGISTRY[kind](*[getattr(pool, f) for f in pool.fields]), (image, *drawn))
    best, *bounds = pool.reference(image, *drawn)
    given = {
        "orig_input": image,
        "orig_output": best,
        "orig_input_tensor_shape": np.array(x, np.int32),
        "out_backprop": values(rng, best.shape, dtype),
        "grad": values(rng, x, dtype),
        "row_pooling_sequence": bounds[0],
        "col_pooling_sequence": bounds[1],
    }
    op = REGISTRY[kind](pool.overlapping)
    return Drawn(op, tuple(given[argument.name] for argument in op.parsed.inputs))


# --- the rest ---------------------------------------------------------------------------------------------------------


def morphology(rng: Rng) -> Drawn:
    kind = one_of(rng, ["Dilation2D", "Dilation2DBackpropInput", "Dilation2DBackpropFilter"])
    op = REGISTRY[kind](numbers(rng, 2, 3), numbers(rng, 2, 3), one_of(rng, ["SAME", "VALID"]))
    dtype, C = one_of(rng, op.T), int(rng.integers(1, 5))
    x, w = (batch(rng), *sizes(rng, 2), C), (*rng.integers(1, 4, 2).tolist(), C)
    y = op.made(x, w)
    given = [x, w] if kind == "Dilation2D" else [x, w, y]
    return Drawn(op, tuple(values(rng, shape, dtype) for shape in given))


def patches(rng: Rng) -> Drawn:
    rank = int(rng.integers(2, 4))
    steps = [(1, *numbers(rng, rank, 3), 1) for _ in range(2 if rank == 2 else 1)]
    ksizes = (1, *rng.integers(1, 4, rank).tolist(), 1)
    cls = ExtractImagePatches if rank == 2 else ExtractVolumePatches
    op = cls(ksizes, *steps, one_of(rng, ["SAME", "VALID"]))
    dtype, x = one_of(rng, op.T), (batch(rng), *sizes(rng, rank), int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        op.patched(x)
        return Drawn(op, (values(rng, x, dtype),))
    return Drawn(op.other(op.adjoint), (values(rng, op.patched(x), dtype), np.array(x, np.int32)))


def blocks(rng: Rng) -> Drawn:
    """Between space and depth, or space and batch."""
    dtype, b = one_of(rng, dtypes.NUMBERS), int(rng.integers(2, 4))
    if rng.random() < 0.5:
        kind, (H, W), C = one_of(rng, ["SpaceToDepth", "DepthToSpace"]), sizes(rng, 2), int(rng.integers(1, 4))
        x = (batch(rng), H * b, W * b, C) if kind == "SpaceToDepth" else (batch(rng), H, W, C * b * b)
        op = REGISTRY[kind](b, layout(rng, 2))
        return Drawn(op, (values(rng, shapes.in_format(x, op.data_format), dtype),))
    m = int(rng.integers(1, 4))
    block = rng.integers(1, 4, m)
    inner = np.array(sizes(rng, m))
    edges = rng.integers(0, 3, (m, 2))
    if rng.random() < 0.5:
        edges[:, 1] += -(inner + edges.sum(1)) % block
        return Drawn(REGISTRY["SpaceToBatchND"](), (values(rng, (batch(rng), *inner, 2), dtype), block, edges))
    crops = np.minimum(edges, (inner * block // 2)[:, None])
    x = values(rng, (batch(rng) * int(np.prod(block)), *inner, 2), dtype)
    return Drawn(REGISTRY["BatchToSpaceND"](), (x, block, crops))


_POOLS = [("MaxPool", 2), ("MaxPoolGrad", 2), ("MaxPoolGradGrad", 2), ("AvgPool", 2), ("AvgPoolGrad", 2)]
_VOLUMES = [(kind.replace("Pool", "Pool3D"), 3) for kind, _ in _POOLS]
_ARGMAX = [(f"MaxPool{g}WithArgmax", 2) for g in ("", "Grad", "GradGrad")]
# Convolutions are half of all.
DRAWS: list[Callable[[Rng], Drawn]] = [
    *[convolution(("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"), 2)] * 10,
    *[convolution(("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"), 3)] * 5,
    *[convolution(tuple(f"DepthwiseConv2dNative{p}" for p in ("", "BackpropInput", "BackpropFilter")), 2, True)] * 5,  # type: ignore[arg-type]
    *[pooling(kind, rank) for kind, rank in (*_POOLS, *_VOLUMES, *_ARGMAX)],
    *[unpooling, fractional, morphology, patches, patches, blocks, blocks],
]
