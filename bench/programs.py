"""Programs that run in a process of their own: import, and from the start to a first gradient."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from bench.work import PULLBACK

ROOT = Path(__file__).parents[1]

_MODULES = {PULLBACK: "pullback", "torch": "torch", "tensorflow": "tensorflow", "jax": "jax"}
# What a pip of that name installs, for sizes.
_DISTRIBUTIONS = {PULLBACK: "pullback", "torch": "torch", "tensorflow": "tensorflow-cpu", "jax": "jax"}

_IMPORT = """
import time
start = time.perf_counter()
import {module}
{use}
print(time.perf_counter() - start)
"""

# Memory that is not shared with a file would be less; this is what `top` shows.
_RESIDENT = """
import {module}
{use}
with open("/proc/self/status") as status:
    print([int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmRSS")][0])
"""

# Names are looked up on first use in pullback, so the import is not over before something is used.
_USE = {PULLBACK: "pullback.nn.conv2d, pullback.GradientTape"}

_ARRAYS = """
import numpy as np
r = np.random.default_rng(0)
x, w = r.standard_normal((8, 28, 28, 1), np.float32), r.standard_normal((5, 5, 1, 32), np.float32)
"""

_TENSORFLOW = (
    _ARRAYS
    + """
import {module} as tf
def gradients(x, w):
    with tf.GradientTape() as tape:
        tape.watch([x, w])
        y = tf.nn.conv2d(x, w, 1, "SAME")
    return tape.gradient(y, [x, w])
{compile}
for g in gradients(tf.constant(x), tf.constant(w)):
    assert np.isfinite(g.numpy()).all()
"""
)

_TORCH = (
    _ARRAYS
    + """
import torch
x = torch.from_numpy(x).permute(0, 3, 1, 2).requires_grad_()
w = torch.from_numpy(w).permute(3, 2, 0, 1).requires_grad_()
y = torch.nn.functional.conv2d(x, w, padding=2)
for g in torch.autograd.grad(y, [x, w], torch.ones_like(y)):
    assert np.isfinite(g.numpy()).all()
"""
)

_JAX = (
    _ARRAYS
    + """
import jax
def gradients(x, w):
    y, pull = jax.vjp(lambda x, w: jax.lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")), x, w)
    return pull(jax.numpy.ones_like(y))
{compile}
for g in gradients(jax.numpy.asarray(x), jax.numpy.asarray(w)):
    assert np.isfinite(np.asarray(g)).all()
"""
)


def source(library: str, kind: str, case: dict[str, Any]) -> str:
    """The program's text."""
    module = _MODULES[library]
    if kind == "import":
        return _IMPORT.format(module=module, use=_USE.get(library, ""))
    if kind == "resident":
        return _RESIDENT.format(module=module, use=_USE.get(library, ""))
    if kind == "installed":
        text = (Path(__file__).parent / "installed.py").read_text()
        requires = tuple(_own_requirements()) if library == PULLBACK else ()
        return f"{text}\nprint(megabytes({_DISTRIBUTIONS[library]!r}, {requires!r}))\n"
    compiled = case.get("compiled")
    if library == "torch":
        return _TORCH
    if library == "jax":
        return _JAX.replace("{compile}", "gradients = jax.jit(gradients)" if compiled else "")
    # Pullback's single ops are compiled too, so its program stays as it is.
    compiles = "gradients = tf.function(gradients)" if compiled and library != PULLBACK else ""
    return _TENSORFLOW.format(module=module, compile=compiles)


def _own_requirements() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
