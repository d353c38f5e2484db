"""TestCase: unittest's, with a graph and a session, and comparisons of arrays."""

from __future__ import annotations

import contextlib
import random
import re
import tempfile
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import errors, interpreter, nest
from pullback.core.dtypes import as_dtype
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import EagerTensor
from pullback.modes import default
from pullback.modes.session import Session, get_default_session
from pullback.ops.random.seeds import set_seed

_SEED = 87654321


@public("test.TestCase")
class TestCase(unittest.TestCase):
    """A test case. Each test begins with an empty default graph and fixed seeds."""

    __test__ = False  # collected through the subclasses that programs write
    longMessage = True

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._cached_session: Any = None
        self._folder: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__test__ = True

    def setUp(self) -> None:
        super().setUp()
        random.seed(_SEED)
        np.random.seed(_SEED)
        if not isinstance(interpreter.current(), Graph):
            default.reset_default_graph()
        with default.building():
            set_seed(_SEED)

    def tearDown(self) -> None:
        if self._cached_session is not None:
            self._cached_session.close()
            self._cached_session = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        super().tearDown()

    # --- surroundings ----------------------------------------------------------------------------------------------

    def get_temp_dir(self) -> str:
        """A folder for this test, gone after it."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix=f"{self._testMethodName}-")
        return self._folder.name

    @contextlib.contextmanager
    def session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Any]:
        """A new session that is the default inside. Operations run on the CPU.

        Raises:
          ArgumentError: force_gpu, as there is none.
        """
        if force_gpu:
            raise errors.ArgumentError("session: force_gpu asks for a GPU, and operations run on the CPU; leave it out")
        if default.executing_eagerly_v1():
            yield None
            return
        with Session(graph=graph, config=config) as made:
            yield made

    @contextlib.contextmanager
    def cached_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False
    ) -> Iterator[Any]:
        """A session that this test opens again and again: variables keep their values."""
        if force_gpu:
            raise errors.ArgumentError("session: force_gpu asks for a GPU, and operations run on the CPU; leave it out")
        if default.executing_eagerly_v1():
            yield None
            return
        if self._cached_session is None:
            self._cached_session = Session(graph=graph, config=config)
        with self._cached_session.graph.as_default(), self._cached_session.as_default():
            yield self._cached_session

    def test_session(self, graph: Any = None, config: Any = None, use_gpu: bool = True, force_gpu: bool = False) -> Any:
        """`cached_session`, or with a graph or config of its own `session`. Its name makes it look like a test."""
        if self._testMethodName == "test_session":
            self.skipTest("Not a test.")
        if graph is None and config is None:
            return self.cached_session(use_gpu=use_gpu, force_gpu=force_gpu)
        return self.session(graph, config, use_gpu, force_gpu)

    def evaluate(self, tensors: Any) -> Any:
        """The values of a nest of tensors: their own, or from the default session."""
        leaves = nest.leaves_of(tensors)
        if all(isinstance(x, EagerTensor) or (hasattr(x, "numpy") and default.executing_eagerly_v1()) for x in leaves):
            return nest.mapped(lambda x: x.numpy(), tensors)
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.cached_session() as made:
            return made.run(tensors)

    # --- arrays ----------------------------------------------------------------------------------------------------

    def _array(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return x
        if hasattr(x, "__pullback_tensor__") or hasattr(x, "spec"):
            x = self.evaluate(x)
        return np.array(x)

    def _same_shape(self, a: Any, b: Any, msg: Any) -> tuple[Any, Any]:
        a, b = self._array(a), self._array(b)
        self.assertEqual(a.shape, b.shape, f"Shape mismatch: expected {a.shape}, got {b.shape}. {msg or ''}")
        return a, b

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """All elements and the shapes are equal; NaN equals NaN."""
        a, b = self._same_shape(a, b, msg)
        same = (a == b) | ((a != a) & (b != b)) if a.dtype.kind in "fc" else a == b
        if not np.all(same):
            self.fail(self._formatMessage(msg, f"not equal at {_places(~np.asarray(same))}:\na = {a}\nb = {b}"))

    def assertNotAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Some element, or the shape, differs."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        self.fail(self._formatMessage(msg, "The two values are equal at all elements."))

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """|a - b| <= atol + rtol |b| everywhere, in nests leaf by leaf."""
        if isinstance(a, dict) != isinstance(b, dict):
            self.fail(self._formatMessage(msg, f"a dict against no dict: {a!r}, {b!r}"))
        if isinstance(a, dict):
            self.assertCountEqual(a, b, msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, f"{key}: {msg or ''}")
            return
        if isinstance(a, (list, tuple)) and any(isinstance(v, (list, tuple, dict)) or hasattr(v, "shape") for v in a):
            self.assertEqual(len(a), len(b), msg)
            for i, (x, y) in enumerate(zip(a, b, strict=True)):
                self.assertAllClose(x, y, rtol, atol, f"[{i}] {msg or ''}")
            return
        a, b = self._same_shape(a, b, msg)
        if a.dtype.kind == "V" or (a.dtype.itemsize <= 2 and a.dtype.kind not in "iub"):
            a, b = a.astype(np.float32), b.astype(np.float32)
            rtol, atol = max(rtol, 1e-2), max(atol, 1e-2)
        close = np.isclose(a, b, rtol, atol, equal_nan=True)
        if not np.all(close):
            bad = ~close
            worst = np.max(np.abs(a[bad] - b[bad]))
            self.fail(
                self._formatMessage(
                    msg, f"not close (rtol {rtol}, atol {atol}) at {_places(bad)}, by up to {worst}:\na = {a}\nb = {b}"
                )
            )

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Some element differs by more than the bounds."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        self.fail(self._formatMessage(msg, "The two values are close at all elements."))

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: Any = None,
    ) -> None:
        """`assertAllClose` with the bounds of the coarser of the two types."""
        a, b = self._array(a), self._array(b)
        names = {a.dtype.name, b.dtype.name}
        for kinds, r, t in (
            ({"float32", "complex64"}, float_rtol, float_atol),
            ({"float16"}, half_rtol, half_atol),
            ({"bfloat16"}, bfloat16_rtol, bfloat16_atol),
        ):
            if names & kinds:
                rtol, atol = max(rtol, r), max(atol, t)
        self.assertAllClose(a.astype(np.complex128), b.astype(np.complex128), rtol, atol, msg)

    def assertNear(self, f1: float, f2: float, err: float, msg: Any = None) -> None:
        """|f1 - f2| <= err, or both are the same infinity."""
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, f"{f1} != {f2} +/- {err} {msg or ''}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: Any = None) -> None:
        """`assertNear` element by element."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for a, b in zip(farray1, farray2, strict=True):
            self.assertNear(float(a), float(b), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: Any = None) -> None:
        """The norm of the difference is below err."""
        self.assertLess(np.linalg.norm(self._array(ndarray1) - self._array(ndarray2)), err, msg)

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Every element is greater."""
        self.assertTrue(np.all(self._array(a) > comparison_target), f"{a} > {comparison_target}")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Every element is less."""
        self.assertTrue(np.all(self._array(a) < comparison_target), f"{a} < {comparison_target}")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is greater or equal."""
        self.assertTrue(np.all(self._array(a) >= comparison_target), f"{a} >= {comparison_target}")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is less or equal."""
        self.assertTrue(np.all(self._array(a) <= comparison_target), f"{a} <= {comparison_target}")

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Every element lies between the bounds."""
        (self.assertAllGreater if open_lower_bound else self.assertAllGreaterEqual)(target, lower_bound)
        (self.assertAllLess if open_upper_bound else self.assertAllLessEqual)(target, upper_bound)

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Every element is one of the set."""
        self.assertLessEqual(set(self._array(target).ravel().tolist()), set(expected_set))

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: Any = None) -> None:
        """An array's shape is the tensor's, as far as it is known before it runs."""
        self.assertAllEqual(list(np_array.shape), tf_tensor.get_shape().as_list(), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """A value's dtype."""
        self.assertEqual(as_dtype(self._array(target).dtype), as_dtype(expected_dtype))

    # --- other -----------------------------------------------------------------------------------------------------

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: Any = None) -> None:
        """Two device names mean the same device."""
        self.assertEqual(_device(device1), _device(device2), msg)

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        """A text begins so."""
        self.assertTrue(
            actual.startswith(expected_start), f"{actual!r} does not start with {expected_start!r} {msg or ''}"
        )

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type: Any, expected_err_re_or_predicate: Any) -> Iterator[None]:
        """The body raises such an error, whose text matches the pattern, or which the predicate takes."""
        try:
            yield
        except exception_type as error:
            wanted: str | Callable[[Any], bool] = expected_err_re_or_predicate
            holds = wanted(error) if callable(wanted) else re.search(wanted, str(error)) is not None
            if not holds:
                raise AssertionError(f"{type(error).__name__} of another text than {wanted!r}: {error}") from error
            return
        self.fail(f"{getattr(exception_type, '__name__', exception_type)} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """The body raises an OpError whose text matches."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(
        self, exception_type: Any = errors.InvalidArgumentError, expected_err_re_or_predicate: str = ""
    ) -> Any:
        """The body raises an error about shapes."""
        return self.assertRaisesWithPredicateMatch(exception_type, expected_err_re_or_predicate)

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: Any = None) -> None:
        """Two messages of protocol buffers are equal; the first may be its text form."""
        from google.protobuf import text_format

        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            expected = text_format.Parse(expected, type(message)())
        self.assertMultiLineEqual(text_format.MessageToString(expected), text_format.MessageToString(message), msg)

    def assertProtoEqualsVersion(self, expected: Any, actual: Any, msg: Any = None) -> None:
        """Two graphs are equal but for their versions."""
        from google.protobuf import text_format

        wanted = text_format.Parse(expected, type(actual)()) if isinstance(expected, str) else expected
        plain = type(actual).FromString(actual.SerializeToString())
        for message in (wanted, plain):
            message.ClearField("versions")
        self.assertProtoEquals(wanted, plain, msg)


def _places(bad: Any) -> str:
    """The first indices of what differs."""
    places = [tuple(map(int, index)) for index in np.argwhere(bad)[:5]]
    return ", ".join(map(str, places)) + (", ..." if np.count_nonzero(bad) > 5 else "")


def _device(name: Any) -> str:
    """A device's short form: "/cpu:0" and "/device:CPU:0" are one."""
    text = name if isinstance(name, str) else str(name)
    found = re.search(r"(cpu|gpu|tpu):(\d+|\*)\Z", text.lower())
    return f"{found[1]}:{found[2]}" if found else text.lower()
