"""TensorFlow's update ops, which change a variable and what its optimizer keeps in one go, as reads and assignments.

A formula takes `keep` (stores what is kept, the first first, and hands it on), the variable's value, the kept values
and the op's other inputs, and gives what the variable loses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core.op import REGISTRY
from pullback.core.tensor import Operation, Tensor
from pullback.ops.math.functions import sign
from pullback.ops.state import Assign, AssignSub

Keep = Callable[[int, Any], Any]


def gradient_descent(keep: Keep, attrs: Any, w: Any, rate: Any, dw: Any) -> Any:
    return rate * dw


def momentum(keep: Keep, attrs: Any, w: Any, a: Any, rate: Any, dw: Any, decay: Any) -> Any:
    a = keep(0, a * decay + dw)
    return rate * (dw + decay * a) if attrs.get("use_nesterov") else rate * a


def keras_momentum(keep: Keep, attrs: Any, w: Any, a: Any, rate: Any, dw: Any, decay: Any) -> Any:
    a = keep(0, a * decay - rate * dw)
    return rate * dw - decay * a if attrs.get("use_nesterov") else -a


def adam(
    keep: Keep, attrs: Any, w: Any, m: Any, v: Any, power1: Any, power2: Any, rate: Any, beta1: Any, beta2: Any,
    epsilon: Any, dw: Any,
) -> Any:  # fmt: skip
    rate = rate * _sqrt(1.0 - power2) / (1.0 - power1)
    m = keep(0, m + (dw - m) * (1.0 - beta1))
    v = keep(1, v + (dw * dw - v) * (1.0 - beta2))
    ahead = m * beta1 + (1.0 - beta1) * dw if attrs.get("use_nesterov") else m
    return rate * ahead / (_sqrt(v) + epsilon)


def rms_prop(
    keep: Keep, attrs: Any, w: Any, ms: Any, mom: Any, rate: Any, rho: Any, decay: Any, epsilon: Any, dw: Any
) -> Any:
    ms = keep(0, ms + (dw * dw - ms) * (1.0 - rho))
    return keep(1, mom * decay + rate * dw / _sqrt(ms + epsilon))


def centered_rms_prop(
    keep: Keep, attrs: Any, w: Any, mg: Any, ms: Any, mom: Any, rate: Any, rho: Any, decay: Any, epsilon: Any, dw: Any
) -> Any:
    ms = keep(1, ms + (dw * dw - ms) * (1.0 - rho))
    mg = keep(0, mg + (dw - mg) * (1.0 - rho))
    return keep(2, mom * decay + rate * dw / _sqrt(ms - mg * mg + epsilon))


def adagrad(keep: Keep, attrs: Any, w: Any, a: Any, rate: Any, dw: Any) -> Any:
    a = keep(0, a + dw * dw) if attrs.get("update_slots", True) else a
    return rate * dw / _sqrt(a)


def adagrad_v2(keep: Keep, attrs: Any, w: Any, a: Any, rate: Any, epsilon: Any, dw: Any) -> Any:
    a = keep(0, a + dw * dw) if attrs.get("update_slots", True) else a
    return rate * dw / (_sqrt(a) + epsilon)


def adadelta(keep: Keep, attrs: Any, w: Any, a: Any, u: Any, rate: Any, rho: Any, epsilon: Any, dw: Any) -> Any:
    a = keep(0, a * rho + dw * dw * (1.0 - rho))
    step = _sqrt(u + epsilon) / _sqrt(a + epsilon) * dw
    keep(1, u * rho + step * step * (1.0 - rho))
    return rate * step


def ftrl(keep: Keep, attrs: Any, w: Any, a: Any, z: Any, dw: Any, rate: Any, l1: Any, l2: Any, power: Any) -> Any:
    new = a + dw * dw
    z = keep(1, z + dw - (new ** (-power) - a ** (-power)) / rate * w)
    new = keep(0, new)
    moved = (sign(z) * l1 - z) / (new ** (-power) / rate + 2.0 * l2)
    return w - REGISTRY["SelectV2"]()(abs(z) > l1, moved, REGISTRY["ZerosLike"]()(moved))


def _sqrt(x: Any) -> Any:
    return REGISTRY["Sqrt"]()(x)


def _update(formula: Callable[..., Any], kept: int) -> Callable[..., Operation]:
    """An adapter for an op whose first inputs are the variable and `kept` others."""

    def adapt(importer: Any, name: str, inputs: list[Tensor], attrs: dict[str, Any]) -> Operation:
        handles: Sequence[Tensor] = inputs[: kept + 1]
        written: list[Operation] = []

        def keep(slot: int, value: Any) -> Any:
            new = Assign()(handles[slot + 1], value)
            written.append(new.op)
            return new

        graph = importer.graph
        with graph.as_default(), graph.name_scope(f"{importer.prefix}{name}/"):
            loss = formula(keep, attrs, *map(importer.read, handles), *inputs[kept + 1 :])
        with graph.control_dependencies(written):
            return importer.append(AssignSub(), (handles[0], loss), name)

    return adapt


# Op type without Apply -> (formula, how many variables it keeps).
_FORMULAS: dict[str, tuple[Callable[..., Any], int]] = {
    "GradientDescent": (gradient_descent, 0),
    "Momentum": (momentum, 1),
    "KerasMomentum": (keras_momentum, 1),
    "Adam": (adam, 2),
    "RMSProp": (rms_prop, 2),
    "CenteredRMSProp": (centered_rms_prop, 3),
    "Adagrad": (adagrad, 1),
    "AdagradV2": (adagrad_v2, 1),
    "Adadelta": (adadelta, 2),
    "Ftrl": (ftrl, 2),
}
UPDATES = {
    f"{front}Apply{kind}": _update(formula, kept)
    for kind, (formula, kept) in _FORMULAS.items()
    for front in ("", "Resource")
}
