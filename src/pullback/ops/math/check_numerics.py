"""CheckNumerics: passes a tensor through, and raises where it holds NaN or infinity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import REALS
from pullback.core.errors import InvalidArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.select import Identity


@op
class CheckNumerics(Op):
    """x itself; raises InvalidArgumentError with `message` where x holds NaN or infinity. Checks its cotangent too."""

    signature = "tensor: T -> output: T"
    T = REALS
    effect = True
    any_rank = True
    message: str = ""

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: Any) -> Any:
        found = [word for word, bad in (("Inf", np.isinf(x).any()), ("NaN", np.isnan(x).any())) if bad]
        if found:
            raise InvalidArgumentError(f"{self.message} : Tensor had {' and '.join(found)} values")
        return x

    def grad(self, node: Any, dy: Any) -> Any:
        return CheckNumerics(f"Not a number (NaN) or infinity (Inf) values detected in gradient. {self.message}")(dy)

    def batch(self, size: Any, inputs: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("sample"), (rng.normal(size=(2, 3)),))
        yield Sample(cls("one"), (np.float32(rng.normal()),), name="scalar")
        yield Sample(cls("none"), (np.zeros((0, 2)),), name="empty")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Callable[[], Any], type[Exception], str]]:
        yield lambda: check_numerics(np.array([1.0, np.nan]), "loss"), InvalidArgumentError, "loss : Tensor had NaN"
        yield lambda: check_numerics(np.array([np.inf, np.nan]), "w"), InvalidArgumentError, "had Inf and NaN values"


@public("debugging.check_numerics", v1=("debugging.check_numerics", "check_numerics"))
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor itself, once it is known to hold neither NaN nor infinity.

    Args:
      message: what the error begins with.
    Raises:
      InvalidArgumentError: when it is computed and holds one; the same for its cotangent.
    """
    return CheckNumerics(message)(tensor, name=name)


@public("debugging.assert_all_finite", v1=None)
def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor itself; InvalidArgumentError with `message` where it holds NaN or infinity."""
    here = interpreter.current()
    with here.name_scope(name or "VerifyFinite") as scope:
        x = interpreter.as_tensor(x, name="x")
        checked = check_numerics(x, message)
        if not isinstance(here, Graph):
            return checked
        with here.control_dependencies([checked]):
            return Identity()(x, name=scope)


@public(v1=("debugging.assert_all_finite", "verify_tensor_all_finite"))
def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """assert_all_finite with TensorFlow 1's names: t and msg are x and message.

    Raises:
      ValueError: an argument is given under both names, or the tensor or message under none.
    """
    for old, new, names in ((t, x, "t and x"), (msg, message, "msg and message")):
        if (old is None) == (new is None):
            raise ValueError(f"verify_tensor_all_finite: give exactly one of {names}")
    return assert_all_finite(t if x is None else x, message if msg is None else msg, name)  # type: ignore[arg-type]
