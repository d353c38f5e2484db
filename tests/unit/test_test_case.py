"""`tf.test`: its comparisons, its sessions, and its gradients by differences."""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1


class Case(tf.test.TestCase):
    """A test case as programs write it; run by the tests below."""

    __test__ = False

    def runTest(self) -> None:
        pass


@pytest.fixture
def case() -> Any:
    made = Case()
    made.setUp()
    yield made
    made.tearDown()


class TestComparisons:
    @pytest.mark.parametrize(
        ("name", "args"),
        [
            ("assertAllEqual", ([1, 2], np.array([1, 2]))),
            ("assertAllEqual", ([np.nan], [np.nan])),
            ("assertAllClose", ([1.0, 2.0], [1.0, 2.0 + 1e-7])),
            ("assertAllClose", ({"a": [1.0]}, {"a": np.array([1.0])})),
            ("assertAllClose", ([np.ones(2), np.zeros(3)], [np.ones(2), np.zeros(3)])),
            ("assertNotAllClose", ([1.0], [1.1])),
            ("assertNotAllEqual", ([1], [2])),
            ("assertAllCloseAccordingToType", (np.float16([1.0]), np.float16([1.0005]))),
            ("assertNear", (1.0, 1.1, 0.2)),
            ("assertArrayNear", ([1.0], [1.1], 0.2)),
            ("assertNDArrayNear", (np.ones(2), np.ones(2) + 0.01, 0.1)),
            ("assertAllGreater", ([2, 3], 1)),
            ("assertAllLess", ([2, 3], 4)),
            ("assertAllInRange", ([0.0, 1.0], 0.0, 1.0)),
            ("assertAllInSet", ([1, 2], {1, 2, 3})),
            ("assertDTypeEqual", (np.float32(1), tf.float32)),
            ("assertDeviceEqual", ("/cpu:0", "/device:CPU:0")),
            ("assertStartsWith", ("abc", "ab")),
        ],
    )
    def test_what_holds(self, case: Any, name: str, args: Any) -> None:
        getattr(case, name)(*args)

    @pytest.mark.parametrize(
        ("name", "args", "words"),
        [
            ("assertAllEqual", ([1, 2], [1, 3]), r"not equal at \(1,\)"),
            ("assertAllEqual", ([1, 2], [1]), "Shape mismatch"),
            ("assertAllClose", ([1.0, 2.0], [1.0, 2.1]), r"not close .* at \(1,\), by up to 0\.1"),
            ("assertAllClose", ({"a": 1.0}, {"a": 2.0}), "a:"),
            ("assertNotAllClose", ([1.0], [1.0]), "close at all elements"),
            ("assertNear", (1.0, 1.3, 0.2), "1.3"),
            ("assertAllInRange", ([2.0], 0.0, 1.0), "1.0"),
            ("assertStartsWith", ("abc", "b"), "does not start"),
        ],
    )
    def test_what_does_not(self, case: Any, name: str, args: Any, words: str) -> None:
        with pytest.raises(AssertionError, match=words):
            getattr(case, name)(*args)

    def test_errors_of_ops(self, case: Any) -> None:
        with case.assertRaisesOpError("do not fill"):
            tf.reshape(tf.zeros([3]), [2])
        with pytest.raises(AssertionError, match="of another text"), case.assertRaisesOpError("other words"):
            tf.reshape(tf.zeros([3]), [2])
        with pytest.raises(AssertionError, match="not raised"), case.assertRaisesOpError("words"):
            pass

    def test_protocol_buffers(self, case: Any) -> None:
        from google.protobuf import struct_pb2

        message = struct_pb2.Value(number_value=3)
        case.assertProtoEquals("number_value: 3", message)
        with pytest.raises(AssertionError):
            case.assertProtoEquals("number_value: 4", message)


class TestSessions:
    def test_cached_sessions_keep_values(self, case: Any) -> None:
        with case.test_session() as session:
            w = tf1.Variable(1.0)
            session.run(w.initializer)
            w.assign_add(1.0).eval()
        with case.cached_session() as again:
            assert again is session and w.eval() == 2.0
            case.assertShapeEqual(np.zeros((2, 1)), tf1.zeros([2, 1]))
        with case.session() as other:
            assert other is not session
        with pytest.raises(ValueError, match="force_gpu"), case.session(force_gpu=True):
            pass

    def test_evaluate(self, case: Any) -> None:
        assert case.evaluate({"a": tf.constant(2.0)}) == {"a": 2.0}
        assert case.evaluate([tf1.constant(2.0), tf1.constant([3.0])])[0] == 2.0

    def test_folder(self, case: Any) -> None:
        folder = Path(case.get_temp_dir())
        assert folder.is_dir() and str(folder) == case.get_temp_dir()
        case.tearDown()
        assert not folder.exists()
        assert Path(tf1.test.get_temp_dir()).is_dir()

    def test_test_session_is_no_test(self) -> None:
        found = unittest.TestLoader().loadTestsFromTestCase(Case)
        result = found.run(unittest.TestResult())
        assert result is not None and result.wasSuccessful() and len(result.skipped) == result.testsRun


class TestGradients:
    def test_of_graphs(self) -> None:
        with tf1.Graph().as_default(), tf1.Session() as session:
            x, w = tf1.constant(np.array([[1.0, 2.0], [3.0, 4.0]])), tf1.Variable(np.array([[1.0], [2.0]]))
            session.run(w.initializer)
            y = tf1.matmul(x * x, w)
            by_x, by_w = tf1.test.compute_gradient(
                [x, w], [[2, 2], [2, 1]], y, [2, 1], [x.eval(), w.eval()], delta=1e-4
            )
            for theoretical, numeric in (by_x, by_w):
                assert np.allclose(theoretical, numeric, atol=1e-6)
            # d (x_ij^2 w_j) / d x_ij = 2 x_ij w_j: rows are x's elements, columns y's.
            assert np.allclose(by_x[0], [[2, 0], [8, 0], [0, 6], [0, 16]])
            assert tf1.test.compute_gradient_error(x, [2, 2], y, [2, 1]) < 1e-6

    def test_of_complex_tensors(self) -> None:
        with tf1.Graph().as_default(), tf1.Session():
            z = tf1.constant(np.array([1 + 2j, 3 - 1j]))
            assert tf1.test.compute_gradient_error(z, [2], z * z, [2], np.array([1 + 2j, 3 - 1j])) < 1e-6

    def test_of_functions(self) -> None:
        theoretical, numerical = tf.test.compute_gradient(
            lambda a, b: a * b, [tf.constant([2.0, 3.0]), tf.constant(4.0)]
        )
        assert np.allclose(theoretical[0], np.diag([4.0, 4.0])) and np.allclose(theoretical[1], [[2.0], [3.0]])
        assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(theoretical, numerical, strict=True))
        with pytest.raises(ValueError, match="must be a list"):
            tf.test.compute_gradient(tf.square, tf.constant(1.0))

    def test_without_a_session(self) -> None:
        with tf1.Graph().as_default(), pytest.raises(ValueError, match="No default session"):
            x = tf1.constant([1.0])
            tf1.test.compute_gradient(x, [1], x, [1])
