"""PyTorch's works, eager: `torch.compile` needs a C++ compiler, which a user of the package may not have.

Two layouts: "channels_last", whose memory is NHWC, and "channels_first", the default. Data begin as NHWC and HWIO.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from bench import data
from bench.worker import Prepared, makes

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_num_interop_threads(1)
LAYOUTS = ("channels_last", "channels_first")
aten: Any = torch.ops.aten


def version() -> str:
    return torch.__version__


def laid(array: Any, axes: tuple[int, ...], layout: str) -> Any:
    """An array with these axes in front, in memory as the layout has it."""
    chosen = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    return torch.from_numpy(np.ascontiguousarray(array)).permute(axes).contiguous(memory_format=chosen)


def image(array: Any, layout: str) -> Any:
    return laid(array, (0, 3, 1, 2), layout)


def filter(array: Any, layout: str) -> Any:
    return laid(array, (3, 2, 0, 1), layout)


def back(t: Any, *, filter: bool = False) -> Any:
    """As NumPy, in the layout of `bench.data`."""
    return t.detach().permute((2, 3, 1, 0) if filter else (0, 2, 3, 1)).contiguous().numpy()


# --- kernels -------------------------------------------------------------------------------------------------------


@makes("convolution", variants=LAYOUTS)
def convolution(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w, dy = data.convolution(case)
    groups, which = case["groups"], case["pass"]
    x, dy = image(x, variant), image(dy, variant)
    w = laid(w, (2, 3, 0, 1), variant) if groups > 1 else filter(w, variant)
    stride, pad = [case["stride"]] * 2, [case["pad"]] * 2
    if which == "forward":
        return Prepared(
            lambda: aten.convolution(x, w, None, stride, pad, [1, 1], False, [0, 0], groups),
            lambda: [back(F.conv2d(x, w, None, stride, pad, 1, groups))],
        )
    mask = [which == "backprop-input", which == "backprop-filter", False]

    def run() -> Any:
        return aten.convolution_backward(dy, x, w, None, stride, pad, [1, 1], False, [0, 0], groups, mask)

    def results() -> list[Any]:
        dx, dw, _ = run()
        if dx is not None:
            return [back(dx)]
        return [dw.permute(2, 3, 0, 1).contiguous().numpy() if groups > 1 else back(dw, filter=True)]

    return Prepared(run, results)


@makes("pooling", variants=LAYOUTS)
def pooling(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    array = data.image(case)
    x, dx = image(array, variant), image(array[::-1], variant)
    y, at = F.max_pool2d(x, 2, return_indices=True)
    seed = y.detach().requires_grad_()
    unpooled = F.max_unpool2d(seed, at, 2) if case["what"] == "unpool backward" else None

    def unpool_backward() -> Any:
        return torch.autograd.grad(unpooled, seed, dx, retain_graph=True)[0]

    def both() -> Any:
        leaf = x.detach().requires_grad_()
        loss = F.max_unpool2d(*F.max_pool2d(leaf, 2, return_indices=True), 2).square().sum()
        loss.backward()
        return loss.detach(), leaf.grad

    run: Callable[[], Any] = {
        "forward": lambda: F.max_pool2d(x, 2),
        "argmax forward": lambda: aten.max_pool2d_with_indices(x, [2, 2], [2, 2])[0],
        "argmax backward": lambda: aten.max_pool2d_with_indices_backward(
            y, x, [2, 2], [2, 2], [0, 0], [1, 1], False, at
        ),
        "unpool forward": lambda: F.max_unpool2d(y, at, 2),
        "unpool backward": unpool_backward,
        "both": both,
    }[case["what"]]
    if case["what"] == "both":
        return Prepared(run, lambda: [(made := both())[0].numpy(), back(made[1])])
    return Prepared(run, lambda: [back(run())])


# --- training ------------------------------------------------------------------------------------------------------


def _parameter(w: Any, layout: str) -> Any:
    if w.ndim == 4:
        return filter(w, layout).requires_grad_()
    return torch.from_numpy(np.ascontiguousarray(w.T) if w.ndim == 2 else w).requires_grad_()


def _plain(kind: str, layout: str) -> tuple[list[Any], Callable[[Any], Any]]:
    last, weights, first_dense = data.LAST_IMAGE[kind], [], True
    for w in data.plain_weights(kind):
        if w.ndim == 2 and first_dense:
            first_dense = False
            if layout == "channels_first":  # its images flatten as C,H,W
                w = w.reshape(*last, -1).transpose(2, 0, 1, 3).reshape(w.shape)
        weights.append(_parameter(w, layout))

    def logits(x: Any) -> Any:
        left, layers = iter(weights), data.PLAIN[kind][0]
        for i, (what, *fields) in enumerate(layers):
            if what == "pool":
                x = F.max_pool2d(x, *fields)
                continue
            if what == "conv":
                x = F.conv2d(x, next(left), next(left), fields[1], fields[2])
            else:
                if x.dim() == 4:
                    x = (x.permute(0, 2, 3, 1) if layout == "channels_last" else x).reshape(x.shape[0], -1)
                x = F.linear(x, next(left), next(left))
            if i + 1 < len(layers):
                x = F.relu(x)
        return x

    return weights, logits


def _residual(layout: str) -> tuple[list[Any], Callable[[Any], Any]]:
    weights = [_parameter(w, layout) for w in data.residual_weights()]

    def logits(x: Any) -> Any:
        left = iter(weights)

        def normed(h: Any) -> Any:
            return F.batch_norm(h, None, None, next(left), next(left), training=True, eps=1e-3)

        h = F.relu(F.conv2d(x, next(left), None, 1, 1))
        for c, k, stride in data.BLOCKS:
            z = F.relu(normed(F.conv2d(h, next(left), None, stride, 1)))
            z = normed(F.conv2d(z, next(left), None, 1, 1))
            h = F.relu(z + (h if c == k else F.conv2d(h, next(left), None, stride)))
        return F.linear(h.mean((2, 3)), next(left))

    return weights, logits


@makes("lenet", "alexnet", "residual", variants=LAYOUTS)
def classifier(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    kind = case["kind"]
    weights, logits = _residual(variant) if kind == "residual" else _plain(kind, variant)
    images, labels = data.examples(kind, case["n"])
    x, y = image(images, variant), torch.from_numpy(labels)
    return _steps(weights, lambda: F.cross_entropy(logits(x), y), kind == "lenet")


def _steps(weights: list[Any], loss_now: Callable[[], Any], adam: bool) -> Prepared:
    if adam:
        a = data.ADAM
        optimizer: Any = torch.optim.Adam(weights, a["rate"], (a["b1"], a["b2"]), a["epsilon"])
    else:
        optimizer = torch.optim.SGD(weights, data.MOMENTUM["rate"], data.MOMENTUM["momentum"])

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_now()
        loss.backward()
        optimizer.step()
        return loss.item()

    return Prepared(step, lambda: [np.array([step() for _ in range(data.CHECKED)])], warm=4)


def _mlp(h: Any, weights: list[Any]) -> Any:
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = torch.tanh(torch.addmm(b, h, w))
    return torch.addmm(weights[-1], h, weights[-2])


@makes("pinn")
def pinn(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    weights = [torch.from_numpy(w).requires_grad_() for w in data.dense_weights(data.PINN_WIDTHS)]
    t, x = [torch.from_numpy(p).requires_grad_() for p in data.points(case["n"])]

    def loss() -> Any:
        u = _mlp(torch.cat([t, x], 1), weights)
        ones = torch.ones_like(u)
        u_t, u_x = torch.autograd.grad(u, [t, x], ones, create_graph=True)
        (u_xx,) = torch.autograd.grad(u_x, x, ones, create_graph=True)
        return (u_t + u * u_x - data.VISCOSITY * u_xx).square().mean()

    return _steps(weights, loss, adam=True)


# --- calls and Jacobians -------------------------------------------------------------------------------------------


def _one_image(case: dict[str, Any]) -> tuple[Any, Any]:
    x, w = data.one_image(case)
    return image(x, "channels_first"), filter(w, "channels_first")


@makes("compiled", "eager")
def convolution_gradient(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w = [t.requires_grad_() for t in _one_image({"h": 5, "w": 5, "c": 1, "k": 1, "size": 3})]
    ones = torch.ones_like(x)

    def run() -> Any:
        return torch.autograd.grad(F.conv2d(x, w, None, 1, 1), [x, w], ones)

    return Prepared(run, lambda: [back((made := run())[0]), back(made[1], filter=True)], warm=20)


@makes("eager op")
def eager_op(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x = torch.from_numpy(data.inputs(case["n"], case["width"]))
    leaf = x.clone().requires_grad_()
    run = {
        "sigmoid": lambda: torch.sigmoid(x),
        "tanh": lambda: torch.tanh(x),
        "relu": lambda: torch.relu(x),
        "product": lambda: x * x,
        "sum": lambda: torch.sum(x),
        "softmax": lambda: torch.softmax(x, -1),
        "concat": lambda: torch.cat([x, x]),
        "gradient": lambda: torch.autograd.grad(torch.tanh(leaf).square().sum(), leaf)[0],
    }[case["what"]]
    return Prepared(run, lambda: [run().numpy()])


@makes("tape")
def eager_tape(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x = torch.from_numpy(data.inputs(8, 8)).requires_grad_()
    ones = torch.ones_like(x)

    def run() -> Any:
        y = x
        for i in range(case["n"]):
            y = torch.tanh(y) if i % 2 else y * 1.0001
        return torch.autograd.grad(y, x, ones)[0]

    return Prepared(run, lambda: [run().numpy()], warm=3 if case["n"] < 1000 else 0)


@makes("jacobian", variants=("autograd", "vmap"))
def jacobian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w = _one_image(case)
    pad, by_input = case["size"] // 2, case["by"] == "input"

    def f(t: Any) -> Any:
        return F.conv2d(t if by_input else x, w if by_input else t, None, 1, pad)

    by = x if by_input else w

    def run() -> Any:
        if variant == "vmap":
            return torch.func.jacrev(f)(by)
        return torch.autograd.functional.jacobian(f, by, vectorize=True)

    def results() -> list[Any]:
        y, last = (0, 2, 3, 1), (4, 6, 7, 5) if by_input else (6, 7, 5, 4)
        return [run().detach().permute(*y, *last).contiguous().numpy()]

    return Prepared(run, results)


@makes("hessian", variants=("autograd", "vmap"))
def hessian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    first, *others = [torch.from_numpy(w) for w in data.dense_weights(case["widths"])]
    x = torch.from_numpy(data.inputs(case["n"], case["widths"][0]))

    def loss(w: Any) -> Any:
        return _mlp(x, [w, *others]).square().mean()

    def run() -> Any:
        if variant == "vmap":
            return torch.func.hessian(loss)(first)
        return torch.autograd.functional.hessian(loss, first, vectorize=True)

    return Prepared(run, lambda: [run().numpy()])


@makes("batch_jacobian")
def batch_jacobian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    weights = [torch.from_numpy(w) for w in data.dense_weights(case["widths"])]
    x = torch.from_numpy(data.inputs(case["n"], case["widths"][0]))
    f = torch.func.vmap(torch.func.jacrev(lambda row: _mlp(row[None], weights)[0]))
    return Prepared(lambda: f(x), lambda: [f(x).numpy()])
