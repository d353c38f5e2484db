"""JAX's works, under `jit` except where a work is eager. XLA chooses its own layouts; data are NHWC and HWIO."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bench import data
from bench.worker import Prepared, makes

NHWC = ("NHWC", "HWIO", "NHWC")


def version() -> str:
    return jax.__version__


def conv(x: Any, w: Any, stride: int = 1, pad: int = 0, groups: int = 1) -> Any:
    return lax.conv_general_dilated(
        x, w, (stride, stride), ((pad, pad), (pad, pad)), dimension_numbers=NHWC, feature_group_count=groups
    )


def prepared(f: Callable[..., Any], *arguments: Any, **more: Any) -> Prepared:
    """A function, waited for."""
    placed = [jnp.asarray(a) for a in arguments]

    def results() -> list[Any]:
        made = f(*placed)
        return [np.asarray(m) for m in (made if isinstance(made, (list, tuple)) else [made])]

    return Prepared(lambda: jax.block_until_ready(f(*placed)), results, **more)


# --- kernels -------------------------------------------------------------------------------------------------------


@makes("convolution")
def convolution(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w, dy = data.convolution(case)
    groups, which = case["groups"], case["pass"]
    if groups > 1:  # JAX has the channels of a depthwise filter last
        w = w.transpose(0, 1, 3, 2)

    def forward(x: Any, w: Any) -> Any:
        return conv(x, w, case["stride"], case["pad"], groups)

    if which == "forward":
        return prepared(jax.jit(forward), x, w)
    if which == "backprop-input":
        f = jax.jit(lambda x, w, dy: jax.vjp(lambda x: forward(x, w), x)[1](dy)[0])
        return prepared(f, x, w, dy)
    f = jax.jit(lambda x, w, dy: jax.vjp(lambda w: forward(x, w), w)[1](dy)[0])
    made = prepared(f, x, w, dy)
    if groups > 1:
        made.results = lambda: [np.asarray(f(x, w, dy)).transpose(0, 1, 3, 2)]
    return made


def _pool(x: Any, size: int = 2, stride: int = 2) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, stride, stride, 1), "VALID")


def _windows(x: Any) -> Any:
    """[N,H,W,C] -> [N,P,Q,C,4]: the windows of 2x2, which do not overlap."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4)


def _image(windows: Any) -> Any:
    n, p, q, c, _ = windows.shape
    return windows.reshape(n, p, q, c, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(n, 2 * p, 2 * q, c)


def _argmax(x: Any) -> Any:
    """(largest, its flat place in the image)."""
    windows, places = _windows(x), _windows(_places(x.shape))
    at = windows.argmax(-1, keepdims=True)
    return windows.max(-1), jnp.take_along_axis(jnp.broadcast_to(places, windows.shape), at, -1)[..., 0]


def _places(shape: Any) -> Any:
    return jnp.arange(np.prod(shape[1:]), dtype=jnp.int32).reshape(1, *shape[1:])


def _put_in_windows(y: Any, at: Any, shape: Any) -> Any:
    """Each y where its window has the place `at`, zeros elsewhere."""
    return _image(jnp.where(at[..., None] == _windows(_places(shape)), y[..., None], 0))


def _unpool(y: Any, at: Any, shape: Any) -> Any:
    """Wherever in the image the places are."""
    n = shape[0]
    rows = jnp.arange(n)[:, None]
    flat = jnp.zeros((n, int(np.prod(shape[1:])))).at[rows, at.reshape(n, -1)].add(y.reshape(n, -1))
    return flat.reshape(shape)


@makes("pooling")
def pooling(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x = data.image(case)
    dx = np.ascontiguousarray(x[::-1])
    y, at = jax.jit(_argmax)(x)

    shape = x.shape

    def both(x: Any) -> Any:
        return jax.value_and_grad(lambda x: jnp.square(_put_in_windows(*_argmax(x), shape=shape)).sum())(x)

    def unpool_backward(dx: Any, y: Any, at: Any) -> Any:
        return jax.vjp(lambda y: _unpool(y, at, shape), y)[1](dx)[0]

    what = case["what"]
    if what == "argmax forward":  # libraries count places each in their own way
        f = jax.jit(_argmax)
        made = prepared(f, x)
        made.results = lambda: [np.asarray(f(x)[0])]
        return made
    f, *arguments = {
        "forward": (_pool, x),
        "argmax backward": (lambda y, at: _put_in_windows(y, at, shape), y, at),
        "unpool forward": (lambda y, at: _unpool(y, at, shape), y, at),
        "unpool backward": (unpool_backward, dx, y, at),
        "both": (both, x),
    }[what]
    return prepared(jax.jit(f), *arguments)


# --- training ------------------------------------------------------------------------------------------------------


def _plain(kind: str, x: Any, weights: list[Any]) -> Any:
    left, layers = iter(weights), data.PLAIN[kind][0]
    for i, (what, *fields) in enumerate(layers):
        if what == "pool":
            x = _pool(x, *fields)
            continue
        w, b = next(left), next(left)
        x = conv(x, w, fields[1], fields[2]) + b if what == "conv" else x.reshape(x.shape[0], -1) @ w + b
        if i + 1 < len(layers):
            x = jax.nn.relu(x)
    return x


def _residual(x: Any, weights: list[Any]) -> Any:
    left = iter(weights)

    def normed(h: Any) -> Any:
        mean, variance = h.mean((0, 1, 2)), h.var((0, 1, 2))
        return (h - mean) * lax.rsqrt(variance + 1e-3) * next(left) + next(left)

    h = jax.nn.relu(conv(x, next(left), 1, 1))
    for c, k, stride in data.BLOCKS:
        z = jax.nn.relu(normed(conv(h, next(left), stride, 1)))
        z = normed(conv(z, next(left), 1, 1))
        h = jax.nn.relu(z + (h if c == k else conv(h, next(left), stride)))
    return h.mean((1, 2)) @ next(left)


@makes("lenet", "alexnet", "residual")
def classifier(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    kind = case["kind"]
    drawn = data.residual_weights() if kind == "residual" else data.plain_weights(kind)
    weights = [jnp.asarray(w) for w in drawn]
    x, y = data.examples(kind, case["n"])

    def loss(weights: list[Any], x: Any, y: Any) -> Any:
        logits = _residual(x, weights) if kind == "residual" else _plain(kind, x, weights)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()

    return _steps(weights, loss, (jnp.asarray(x), jnp.asarray(y)), adam=kind == "lenet")


def _adam(w: Any, m: Any, v: Any, dw: Any, t: Any) -> tuple[Any, Any, Any]:
    a = data.ADAM
    m, v = a["b1"] * m + (1 - a["b1"]) * dw, a["b2"] * v + (1 - a["b2"]) * dw * dw
    rate = a["rate"] * jnp.sqrt(1 - a["b2"] ** t) / (1 - a["b1"] ** t)
    return w - rate * m / (jnp.sqrt(v) + a["epsilon"]), m, v


def _momentum(w: Any, m: Any, v: Any, dw: Any, t: Any) -> tuple[Any, Any, Any]:
    m = data.MOMENTUM["momentum"] * m + dw
    return w - data.MOMENTUM["rate"] * m, m, v


def _steps(weights: list[Any], loss: Callable[..., Any], examples: tuple[Any, ...], adam: bool) -> Prepared:
    def step(state: Any, *examples: Any) -> Any:
        weights, ms, vs, t = state
        now, gradients = jax.value_and_grad(loss)(weights, *examples)
        rule = _adam if adam else _momentum
        moved = [rule(*each, t + 1) for each in zip(weights, ms, vs, gradients, strict=True)]
        return now, (*map(list, zip(*moved, strict=True)), t + 1)

    compiled = jax.jit(step, donate_argnums=0)
    ms = [jnp.zeros_like(w) for w in weights]
    vs = [jnp.zeros_like(w) if adam else jnp.zeros(()) for w in weights]
    state: list[Any] = [(weights, ms, vs, jnp.zeros((), jnp.float32))]

    def run() -> float:
        now, state[0] = compiled(state[0], *examples)
        jax.block_until_ready(state[0])
        return float(now)

    return Prepared(run, lambda: [np.array([run() for _ in range(data.CHECKED)])], warm=4)


def _mlp(h: Any, weights: Any) -> Any:
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = jnp.tanh(h @ w + b)
    return h @ weights[-2] + weights[-1]


@makes("pinn")
def pinn(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    weights = [jnp.asarray(w) for w in data.dense_weights(data.PINN_WIDTHS)]

    def loss(weights: list[Any], t: Any, x: Any) -> Any:
        def u(t: Any, x: Any) -> Any:
            return _mlp(jnp.concatenate([t, x], 1), weights)

        def slopes(t: Any, x: Any) -> Any:
            value, pull = jax.vjp(u, t, x)
            return value, *pull(jnp.ones_like(value))

        (value, u_t, u_x), pull = jax.vjp(lambda x: slopes(t, x), x)
        (u_xx,) = pull((jnp.zeros_like(value), jnp.zeros_like(u_t), jnp.ones_like(u_x)))
        return jnp.square(u_t + value * u_x - data.VISCOSITY * u_xx).mean()

    return _steps(weights, loss, tuple(map(jnp.asarray, data.points(case["n"]))), adam=True)


# --- calls and Jacobians -------------------------------------------------------------------------------------------


@makes("compiled", "eager")
def convolution_gradient(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w = data.one_image({"h": 5, "w": 5, "c": 1, "k": 1, "size": 3})

    def gradient(x: Any, w: Any) -> Any:
        y, pull = jax.vjp(lambda x, w: conv(x, w, 1, 1), x, w)
        return pull(jnp.ones_like(y))

    return prepared(gradient if case["kind"] == "eager" else jax.jit(gradient), x, w, warm=20)


@makes("eager op")
def eager_op(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    run = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": jax.nn.relu,
        "product": lambda x: x * x,
        "sum": jnp.sum,
        "softmax": jax.nn.softmax,
        "concat": lambda x: jnp.concatenate([x, x]),
        "gradient": jax.grad(lambda x: jnp.square(jnp.tanh(x)).sum()),
    }[case["what"]]
    return prepared(run, data.inputs(case["n"], case["width"]))


@makes("tape")
def eager_tape(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x = data.inputs(8, 8)

    def run(x: Any) -> Any:
        def f(y: Any) -> Any:
            for i in range(case["n"]):
                y = jnp.tanh(y) if i % 2 else y * 1.0001
            return y

        y, pull = jax.vjp(f, x)
        return pull(jnp.ones_like(y))[0]

    return prepared(run, x, warm=3 if case["n"] < 1000 else 0)


@makes("jacobian", variants=("reverse", "forward"))
def jacobian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    x, w = data.one_image(case)
    f = (jax.jacrev if variant == "reverse" else jax.jacfwd)(
        lambda x, w: conv(x, w, 1, case["size"] // 2), 0 if case["by"] == "input" else 1
    )
    return prepared(f if case.get("eager") else jax.jit(f), x, w)


@makes("hessian")
def hessian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    first, *others = data.dense_weights(case["widths"])

    def loss(x: Any, w: Any, *others: Any) -> Any:
        return jnp.square(_mlp(x, [w, *others])).mean()

    return prepared(jax.jit(jax.hessian(loss, 1)), data.inputs(case["n"], case["widths"][0]), first, *others)


@makes("batch_jacobian")
def batch_jacobian(case: dict[str, Any], variant: str, dtype: Any) -> Prepared:
    def run(x: Any, *weights: Any) -> Any:
        return jax.vmap(jax.jacrev(lambda row: _mlp(row[None], weights)[0]))(x)

    return prepared(jax.jit(run), data.inputs(case["n"], case["widths"][0]), *data.dense_weights(case["widths"]))
