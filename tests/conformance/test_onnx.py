"""ONNX's own tests of its operators, through Pullback's ops. Prints how many of them pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the package onnx, which brings the tests, is not installed")
from conformance.onnx_suite import Case, cases, in_double, networks

import pullback as tf
from pullback.interop import onnx as ours

pytestmark = pytest.mark.slow
Say = Callable[[str, object], None]
# Operator -> how many node tests onnx 1.23 has for it; later ones have no fewer.
HEART = {
    "AveragePool": 20,
    "BatchNormalization": 4,
    "Col2Im": 5,
    "Conv": 6,
    "ConvTranspose": 11,
    "DepthToSpace": 2,
    "GlobalAveragePool": 2,
    "GlobalMaxPool": 2,
    "LRN": 2,
    "LpPool": 8,
    "MaxPool": 19,
    "MaxUnpool": 2,
    "SpaceToDepth": 4,
}
# Node test -> why we answer otherwise.
OTHERWISE = {
    "test_training_dropout": "the expected values are NumPy's random draws",
    "test_training_dropout_mask": "the expected values are NumPy's random draws",
    "test_training_dropout_default": "the expected values are NumPy's random draws",
    "test_training_dropout_default_mask": "the expected values are NumPy's random draws",
    "test_attention_4d_causal_fp16": "two of 192 numbers differ by one unit of half precision, 2^-11",
    "test_attention_4d_causal_fp16_expanded": "two of 192 numbers differ by one unit of half precision, 2^-11",
}


def faults_of(chosen: list[Case]) -> list[str]:
    return [fault for case in chosen if (fault := case.fault()) is not None]


@pytest.mark.parametrize("operator", HEART)
def test_every_node_test_passes(operator: str) -> None:
    chosen = [case for case in cases("node") if case.operators == {operator}]
    assert len(chosen) >= HEART[operator]
    assert not (faults := faults_of(chosen)), "\n".join(faults)


@pytest.mark.parametrize("operator", HEART)
def test_gradients_equal_finite_differences(operator: str) -> None:
    """Along a random direction, in the models of every node test."""
    count = 0
    for case in cases("node"):
        if case.operators == {operator} and any(x.dtype == np.float32 for x in case.data[0][0]):
            model, inputs = in_double(case)
            analytic, numeric = slopes(ours.Graph(model), inputs)
            assert abs(analytic - numeric) <= 1e-6 * max(1, abs(numeric)), f"{case.name}: {analytic}, not {numeric}"
            count += 1
    assert count


def slopes(graph: ours.Graph, inputs: list[np.ndarray]) -> tuple[float, float]:
    """How a random sum of the outputs grows as the inputs move in a random direction: by gradients, by differences."""
    rng = np.random.default_rng(1)
    moves = [rng.normal(size=x.shape) if x.dtype == np.float64 else None for x in inputs]
    weights = [rng.normal(size=y.shape) for y in graph(*inputs) if y.dtype == tf.float64]

    def loss(values: list[Any]) -> Any:
        floats = [y for y in graph(*values) if y.dtype == tf.float64]
        return tf.add_n([tf.reduce_sum(y * w) for y, w in zip(floats, weights, strict=True)])

    def moved(step: float) -> float:
        return float(loss([x if m is None else x + step * m for x, m in zip(inputs, moves, strict=True)]))

    xs = [tf.constant(x) for x in inputs]
    watched = [x for x, m in zip(xs, moves, strict=True) if m is not None]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        total = loss(xs)
    dxs = tape.gradient(total, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    analytic = sum(float(tf.reduce_sum(dx * m)) for dx, m in zip(dxs, [m for m in moves if m is not None], strict=True))
    return analytic, (moved(1e-6) - moved(-1e-6)) / 2e-6


def test_every_node_test_of_translated_operators_passes(record_property: Say) -> None:
    every = cases("node")
    chosen = [case for case in every if ours.is_compatible(case.model)]
    faults = faults_of([case for case in chosen if case.name not in OTHERWISE])
    passed = len(chosen) - len(faults) - len(OTHERWISE)
    record_property(
        "say",
        f"onnx: {passed} of {len(every)} node tests; {len(ours.operators())} operators are translated, and of the "
        f"tests that they serve {len(faults)} fail and {len(OTHERWISE)} differ for a known reason",
    )
    assert not faults, "\n".join(faults)
    assert passed >= 1391


def test_node_tests_that_differ_still_differ() -> None:
    agree = [case.name for case in cases("node") if case.name in OTHERWISE and case.fault() is None]
    assert not agree, f"they agree now: take {agree} out of OTHERWISE"


@pytest.mark.parametrize(
    ("kind", "count"), [("simple", 7), ("pytorch-operator", 35), ("pytorch-converted", 82)], ids=lambda v: str(v)
)
def test_small_models_pass(kind: str, count: int, record_property: Say) -> None:
    chosen = [case for case in cases(kind) if ours.is_compatible(case.model)]
    faults = faults_of(chosen)
    record_property("say", f"onnx: {len(chosen) - len(faults)} of {len(cases(kind))} models of kind {kind}")
    assert not faults, "\n".join(faults)
    assert len(chosen) >= count


def test_whole_networks_pass(record_property: Say) -> None:
    count, faults = 0, []
    for case in networks():  # one at a time: together their weights are gigabytes
        count += 1
        faults += faults_of([case])
    record_property("say", f"onnx: {count - len(faults)} of {count} whole networks")
    assert not faults, "\n".join(faults)
