"""keras.mixed_precision: layers that compute in one type of floats and keep their variables in another.

    variable, float32 --cast at each use in `call`--> float16 \
                                                               kernel --> float16
    inputs ---------------cast by the layer---------> float16 /

Gradients come back through the casts, so that optimizers see float32 only.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.layers import phase
from pullback.modes.variable import Variable, VariableV1
from pullback.ops.math.select import Cast

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@public(
    "keras.mixed_precision.Policy",
    "keras.mixed_precision.DTypePolicy",
    "keras.mixed_precision.experimental.Policy",
    "keras.DTypePolicy",
)
class Policy:
    """Which types a layer computes in and keeps its variables in.

    Args:
      name: "mixed_float16" or "mixed_bfloat16", that is float32 variables and computation in the other; or the name of
        a type, for both. That of the global policy by default.
    Raises:
      TypeError: name is no string. ValueError: there is no such policy.
    """

    def __init__(self, name: str | None = None) -> None:
        name = global_policy().name if name is None else name
        if not isinstance(name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name} of {type(name)}")
        try:
            both = None if name in _MIXED else as_dtype(name).name
        except TypeError:
            raise ArgumentError(
                f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include 'mixed_float16', "
                "'mixed_bfloat16', and the name of any float dtype such as 'float32'."
            ).locate() from None
        self._name = name
        self._compute_dtype, self._variable_dtype = both or _MIXED[name], both or "float32"

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The type of computation and outputs, by name."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of variables, by name."""
        return self._variable_dtype

    @property
    def mixed(self) -> bool:
        """Whether the two differ."""
        return self._compute_dtype != self._variable_dtype

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Policy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


class _Global:
    policy: Policy | None = None


@public(
    "keras.mixed_precision.global_policy",
    "keras.mixed_precision.dtype_policy",
    "keras.mixed_precision.experimental.global_policy",
    "keras.config.dtype_policy",
)
def global_policy() -> Policy:
    """The policy of layers that are not given a dtype: that of `floatx` unless another was set."""
    return _Global.policy or Policy(phase.floatx())


@public(
    "keras.mixed_precision.set_global_policy",
    "keras.mixed_precision.set_dtype_policy",
    "keras.mixed_precision.experimental.set_policy",
    "keras.config.set_dtype_policy",
)
def set_global_policy(policy: Any) -> None:
    """Sets `global_policy`, for layers made from now on: a Policy or the name of one.

    Raises:
      ValueError: it is neither, or there is no such policy.
    """
    if not isinstance(policy, (Policy, str)):
        raise ArgumentError(
            f"Invalid `policy` argument. Expected the string name of a policy (such as 'mixed_float16') or a Policy. "
            f"Received: policy={policy} (of type {type(policy)})"
        ).locate()
    made = Policy(policy) if isinstance(policy, str) else policy
    _Global.policy = None if made.name == phase.floatx() else made


def policy_of(given: Any) -> Policy | None:
    """The policy that a layer's dtype stands for: a Policy, its name or configuration, or a type; of None the global
    one, None where it was not set."""
    if given is None or isinstance(given, Policy):
        return given or _Global.policy
    if isinstance(given, dict):
        return Policy(given["config"]["name"])
    return Policy(given if isinstance(given, str) and given in _MIXED else as_dtype(given).name)


# --- variables -----------------------------------------------------------------------------------------------------


class _Reading(threading.local):
    kind: DType | None = None  # what variables of mixed layers are read as


_reading = _Reading()


def read_as() -> DType | None:
    """The type in which variables of mixed layers are read now; None for their own."""
    return _reading.kind


@contextlib.contextmanager
def reading_as(kind: DType | None) -> Iterator[None]:
    """Variables of mixed layers are read in this type."""
    before, _reading.kind = _reading.kind, kind
    try:
        yield
    finally:
        _reading.kind = before


class _Mixed:
    """A variable that is read in the type its layer computes in, and keeps its own."""

    def __pullback_tensor__(self, here: Any = None) -> Tensor:
        made: Tensor = super().__pullback_tensor__(here)  # type: ignore[misc]
        return made if _reading.kind is None else Cast(_reading.kind)(made)

    @property
    def dtype(self) -> DType:
        return _reading.kind or super().dtype  # type: ignore[misc]

    def _value(self, value: Any, what: str) -> Any:
        with reading_as(None):
            given = super()._value(value, what)  # type: ignore[misc]
            own = self.dtype
            return given if given.dtype is own or not given.dtype.is_floating else Cast(own)(given)


class MixedVariable(_Mixed, Variable):
    """Of TensorFlow 2."""


class MixedVariableV1(_Mixed, VariableV1):
    """Of TensorFlow 1."""
