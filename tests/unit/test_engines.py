"""Engines: the one look-up order, choosing one, and what ran where."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1
from pullback import engines
from pullback.core.op import REGISTRY, Op, lowering, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.engines.base import ENGINES, Engine


@pytest.fixture
def triple() -> Iterator[type[Any]]:
    @op
    class Triple(Op):
        """3 x."""

        signature = "x: T -> y: T"
        T = (tf.float32,)

        def infer(self, x: Spec) -> Spec:
            return x

        def reference(self, x: Any) -> Any:
            return 3 * x

        def grad(self, node: Any, dy: Any) -> Any:
            return 3.0 * dy

        @classmethod
        def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
            yield Sample(cls(), (np.ones(2, np.float32),))

    yield Triple
    del REGISTRY["Triple"]


@pytest.fixture
def fast() -> Iterator[Engine]:
    yield Engine("fast", lowers=("fast",))
    del ENGINES["fast"]


def test_lowering_then_expansion_then_reference(triple, fast):
    x = tf.constant([1.0])
    with tf.engine("fast"):
        assert triple()(x).numpy() == [3.0]
    assert engines.report()["fast"]["Triple"] == "reference"
    triple.expand = lambda self, x: x + x + x
    triple().kernels.clear()
    with tf.engine("fast"):
        assert triple()(x).numpy() == [3.0]
    assert engines.report()["fast"]["Triple"] == "expand"

    @lowering("fast", triple)
    def kernel(op_, x):
        return np.float32(1000) * x

    triple().kernels.clear()
    with tf.engine("fast"):
        assert triple()(x).numpy() == [1000.0]
    assert triple()(x).numpy() == [3.0]


def test_sessions_and_functions_use_the_engine_in_force(triple, fast):
    lowering("fast", triple)(lambda op_, x: np.float32(1000) * x)
    with v1.Graph().as_default(), v1.Session() as session:
        y = triple()(v1.constant([1.0]))
        with tf.engine("fast"):
            assert session.run(y).tolist() == [1000.0]
        assert session.run(y).tolist() == [3.0]
    f = tf.function(lambda x: triple()(x))
    with tf.engine("fast"):
        assert f(tf.constant([1.0])).numpy() == [1000.0]
    assert f(tf.constant([1.0])).numpy() == [3.0]


def test_an_engine_nobody_made():
    there = r"there are \['blas', 'cpu', 'reference'\]"
    with pytest.raises(ValueError, match=f"no engine 'nothing'; {there}"), tf.engine("nothing"):
        pass
