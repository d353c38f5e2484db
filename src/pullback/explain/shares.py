"""Softmax under the glass: from logits to shares, and what comes back.

    y_k = exp(z_k - m) / sum_j exp(z_j - m)         m = max z: the same shares, and no exp overflows
    dy_k/dz_j = y_k (1 - y_k)  for j = k, else  -y_k y_j
    L = -log y_t,  dL/dz_k = y_k - 1 for k = t, else y_k       the cross-entropy of the wanted class t

Shares, derivatives and loss are the engine's; the page computes its own from the logits, so that readers can change
them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pullback as tf
from pullback.core.errors import ArgumentError, ShapeError
from pullback.explain.markup import bracketed, number, table
from pullback.explain.pages import Page, Section
from pullback.explain.planes import numbers

# Classes that a page lists.
MOST_CLASSES = 200


@dataclass(frozen=True)
class SoftmaxGlass:
    """A vector of logits and what softmax makes of it. Classes count from 0, as labels do.

    z [K]: logits. exps [K]: exp(z - max z). y [K]: shares. jacobian [K,K]: dy/dz.
    names: what the classes are called. label: the wanted class, or None. loss: -log y[label]. gradient [K]: dloss/dz.
    """

    z: NDArray[Any]
    exps: NDArray[Any]
    y: NDArray[Any]
    jacobian: NDArray[Any]
    names: tuple[str, ...]
    label: int | None = None
    loss: float | None = None
    gradient: NDArray[Any] | None = None

    def sum_of_output(self, k: int) -> str:
        """ "y2 = exp(z2 - max)/sum = exp(3 - 3)/1.5 = 1/1.5 = 0.666667"."""
        whole, most = number(self.exps.sum()), bracketed(self.z.max())
        shown = f"exp({number(self.z[k])} - {most})/{whole} = {number(self.exps[k])}/{whole}"
        return f"y{k} = exp(z{k} - max)/sum = {shown} = {number(self.y[k])}"

    def sum_of_gradient(self, k: int) -> str:
        """What comes back to a logit from the loss: "dL/dz2 = y2 - 1 = -0.3"; "" where there is no label."""
        if self.gradient is None:
            return ""
        made = f"y{k} - 1" if k == self.label else f"y{k}"
        return f"dL/dz{k} = {made} = {number(self.gradient[k])}"

    def page(self) -> Page:
        """The page: point at a class, or change a logit, and see its share and what comes back to it."""
        data = {"logits": self.z.tolist(), "names": list(self.names), "label": self.label}
        lead = f"{len(self.z)} logits and their shares, which add up to 1: see how, class by class."
        section = Section("Under the glass", f'<div id="softmax"></div><noscript>{self.html()}</noscript>')
        return Page("Softmax", lead, (section,), ("glass.css",), ("softmax.js",), {"softmax": data})

    def html(self) -> str:
        """A row a class; a fragment of a page."""
        head = ["class", "logit", "exp(z - max)", "share"] + ["dL/dz"] * (self.gradient is not None)
        columns = [self.z, self.exps, self.y, *([] if self.gradient is None else [self.gradient])]
        rows = [[name, *(number(c[k]) for c in columns)] for k, name in enumerate(self.names)]
        return table("Logits and their shares", head, rows, "sums")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; returns its path."""
        return self.page().save(path)

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()

    def __str__(self) -> str:
        lines = [self.sum_of_output(k) for k in range(len(self.z))]
        if self.loss is not None:
            lines += [f"L = -log(y{self.label}) = {number(self.loss)}"]
            lines += [self.sum_of_gradient(k) for k in range(len(self.z))]
        return "\n".join(lines)


def softmax(logits: Any, label: int | None = None, names: Sequence[str] | None = None) -> SoftmaxGlass:
    """`tf.nn.softmax` of one vector under the glass, with its cross-entropy where a class is wanted.

    Args:
      logits: [K], or [1,K]; anything that converts to floats.
      label: the wanted class, 0 to K - 1. names: what the classes are called; by default their numbers.
    Returns:
      The arrays, with `page()` and `save(path)`; it prints its sums.
    Raises:
      ShapeError: the logits are no single vector of 1 to MOST_CLASSES numbers, or there are other than K names.
      ArgumentError: the label is no class; a logit is not finite.
    """
    z = numbers("explain.softmax", "logits", logits)
    z = z[0] if z.ndim == 2 and len(z) == 1 else z
    if z.ndim != 1 or not 1 <= len(z) <= MOST_CLASSES:
        raise ShapeError(
            f"explain.softmax: logits of shape {list(z.shape)}; give one vector of 1 to {MOST_CLASSES} numbers, "
            "as logits[0]"
        ).locate()
    if names is not None and len(names) != len(z):
        raise ShapeError(f"explain.softmax: {len(names)} names for {len(z)} classes; give one each").locate()
    if label is not None and not 0 <= label < len(z):
        raise ArgumentError(f"explain.softmax: label {label} is none of the classes 0 to {len(z) - 1}").locate()
    x = tf.constant(z)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.nn.softmax(x)
        loss = None if label is None else tf.nn.sparse_softmax_cross_entropy_with_logits(label, x)
    back = None if loss is None else tape.gradient(loss, x).numpy()
    said = tuple(map(str, names if names is not None else range(len(z))))
    shares, jacobian = y.numpy(), tape.jacobian(y, x).numpy()
    whole = None if loss is None else float(loss.numpy())
    return SoftmaxGlass(z, np.exp(z - z.max()), shares, jacobian, said, label, whole, back)
