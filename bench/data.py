"""The numbers that works begin with: the same for every library, drawn in float32 from one seed.

Images are [N,H,W,C], filters [R,S,C,K], dense weights [in,out]. Weights come one at a time, so that who wants to
measure memory need not hold them twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = Any

# Layers of the plain networks: ("conv", filter, stride, padding in pixels, C, K), ("pool", window, stride),
# ("dense", in, out). A ReLU follows each but the last; `LAST_IMAGE` is what the first dense layer sees, as H,W,C.
LENET = (
    ("conv", 5, 1, 2, 1, 32),
    ("pool", 2, 2),
    ("conv", 5, 1, 2, 32, 64),
    ("pool", 2, 2),
    ("dense", 7 * 7 * 64, 1024),
    ("dense", 1024, 10),
)
ALEXNET = (
    ("conv", 11, 4, 0, 3, 96),
    ("pool", 3, 2),
    ("conv", 5, 1, 2, 96, 256),
    ("pool", 3, 2),
    ("conv", 3, 1, 1, 256, 384),
    ("conv", 3, 1, 1, 384, 384),
    ("conv", 3, 1, 1, 384, 256),
    ("pool", 3, 2),
    ("dense", 6 * 6 * 256, 4096),
    ("dense", 4096, 4096),
    ("dense", 4096, 1000),
)
PLAIN = {"lenet": (LENET, (28, 28, 1), 10), "alexnet": (ALEXNET, (227, 227, 3), 1000)}
LAST_IMAGE = {"lenet": (7, 7, 64), "alexnet": (6, 6, 256)}
# Blocks of the residual network: C, K, stride. Each has two 3x3 filters with batch norm; where C != K, a 1x1 shortcut.
BLOCKS = ((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1))
PINN_WIDTHS = (2, 20, 20, 20, 20, 1)
VISCOSITY = 0.0031831  # 0.01 / pi

# Optimizers of the steps: Adam in LeNet and the PINN, momentum in the others.
ADAM = {"rate": 1e-3, "b1": 0.9, "b2": 0.999, "epsilon": 1e-8}
MOMENTUM = {"rate": 0.01, "momentum": 0.9}
CHECKED = 2  # steps whose losses are compared


def seeded() -> np.random.Generator:
    return np.random.default_rng(0)


def normal(r: np.random.Generator, *shape: int, scale: float = 1.0) -> Array:
    drawn = r.standard_normal(shape, dtype=np.float32)
    drawn *= np.float32(scale)
    return drawn


def out_size(size: int, filter: int, stride: int, pad: int) -> int:
    return (size + 2 * pad - filter) // stride + 1


def convolution(case: dict[str, Any]) -> tuple[Array, Array, Array]:
    """x, w, dy. A depthwise filter is [R,S,C,1]."""
    r = seeded()
    size, stride, pad, groups = case["size"], case["stride"], case["pad"], case["groups"]
    p, q = out_size(case["h"], size, stride, pad), out_size(case["w"], size, stride, pad)
    x = normal(r, case["n"], case["h"], case["w"], case["c"])
    w = normal(r, size, size, case["c"], case["k"] // groups)
    return x, w, normal(r, case["n"], p, q, case["k"])


def one_image(case: dict[str, Any]) -> tuple[Array, Array]:
    """x [1,H,W,C] and w [R,S,C,K], for a convolution with stride 1 whose output has the input's size."""
    return convolution({**case, "n": 1, "stride": 1, "pad": case["size"] // 2, "groups": 1})[:2]


def image(case: dict[str, Any]) -> Array:
    """x [N,H,W,C], no two entries of a window equal."""
    return normal(seeded(), case["n"], case["h"], case["w"], case["c"])


def examples(kind: str, n: int) -> tuple[Array, Array]:
    """Images and labels of a network."""
    r = np.random.default_rng(1)
    shape, classes = ((32, 32, 3), 10) if kind == "residual" else PLAIN[kind][1:]
    return normal(r, n, *shape), r.integers(0, classes, n)


def plain_weights(kind: str) -> Iterator[Array]:
    """Weights and bias of each layer that has them."""
    r = seeded()
    for what, *fields in PLAIN[kind][0]:
        if what == "conv":
            size, _, _, c, k = fields
            yield normal(r, size, size, c, k, scale=(2 / (size * size * c)) ** 0.5)
            yield np.zeros(k, np.float32)
        elif what == "dense":
            yield normal(r, *fields, scale=(2 / fields[0]) ** 0.5)
            yield np.zeros(fields[1], np.float32)


def residual_weights() -> Iterator[Array]:
    """The stem's filter; for each block two filters, scales and offsets, then the shortcut if any; the dense layer."""
    r = seeded()

    def filter(size: int, c: int, k: int) -> Array:
        return normal(r, size, size, c, k, scale=(2 / (size * size * c)) ** 0.5)

    yield filter(3, 3, 64)
    for c, k, _ in BLOCKS:
        for channels in (c, k):
            yield filter(3, channels, k)
            yield np.ones(k, np.float32)
            yield np.zeros(k, np.float32)
        if c != k:
            yield filter(1, c, k)
    yield normal(r, 128, 10, scale=0.1)


def dense_weights(widths: Any) -> Iterator[Array]:
    """Weights and bias of each layer of a multilayer perceptron."""
    r = seeded()
    for i, k in itertools.pairwise(widths):
        yield normal(r, i, k, scale=i**-0.5)
        yield np.zeros(k, np.float32)


def points(n: int) -> tuple[Array, Array]:
    """t in [0, 1), x in [-1, 1), both [n,1]."""
    r = np.random.default_rng(1)
    return r.random((n, 1), np.float32), r.random((n, 1), np.float32) * 2 - 1


def inputs(n: int, width: int) -> Array:
    return normal(np.random.default_rng(1), n, width)
