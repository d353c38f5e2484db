"""Generators: random numbers from a state that is a variable, Philox's counter and key.

    state [3]: counter's low half, its high half, key     draws of n numbers advance the counter by 256 n

The numbers, and how the state advances, are TensorFlow's, but for binomial draws, which are NumPy's.
"""

from __future__ import annotations

import enum
import os
from typing import Any

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import as_dtype, float32, int32, int64, uint64
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.shape import compatible, text
from pullback.core.tensor import Tensor
from pullback.modes.default import init_scope
from pullback.modes.variable import Variable
from pullback.ops.array.joining import concat, stack
from pullback.ops.array.shape import reshape
from pullback.ops.math.arithmetic import AddV2
from pullback.ops.math.reduce_functions import reduce_prod
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast
from pullback.ops.random import draws as d
from pullback.ops.random.advancing import PHILOX, RngReadAndSkip
from pullback.ops.random.functions import _parameters, _real_type, _sizes
from pullback.ops.random.stateless import binomial_at

_SIZE = 3
# TensorFlow sets the words of so many numbers aside for each binomial draw.
_BINOMIAL_EACH = 100


@public("random.Algorithm", "random.experimental.Algorithm")
class Algorithm(enum.Enum):
    """Generators by TensorFlow's numbers. Philox is the one here, and what AUTO_SELECT means."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def _check_algorithm(alg: Any) -> None:
    """Raises ArgumentError where the generator asked for is not Philox."""
    known = ("philox", "auto_select", None, 1, 3)
    if not (isinstance(alg, Algorithm) and alg.value in known) and alg not in known:
        raise ArgumentError(
            f"random.Generator: alg is {alg!r}, but the generator here is Philox: give 'philox' or 'auto_select'"
        ).locate()


def _signed(word: int) -> int:
    """The low 64 bits as an int64."""
    return (word + 2**63) % 2**64 - 2**63


@public("random.create_rng_state", "random.experimental.create_rng_state")
def create_rng_state(seed: Any, alg: Any) -> Any:
    """A state that a seed starts. Any int has 192 bits of its own, low ones first; lists that are shorter begin with
    zeros.

    Args:
      seed: int, or integers [n] of which the first three count. alg: "philox" or "auto_select".
    Returns:
      int64 [3].
    """
    _check_algorithm(alg)
    if isinstance(seed, int):
        return interpreter.as_tensor(np.array([_signed(seed >> 64 * i) for i in range(_SIZE)], np.int64))
    if not isinstance(seed, (Tensor, Variable)):
        words = [_signed(int(n)) for n in np.ravel(np.asarray(seed, object))[:_SIZE]]
        return interpreter.as_tensor(np.array([0] * (_SIZE - len(words)) + words, np.int64))
    words = reshape(Cast(int64)(interpreter.as_tensor(seed)), [-1])[:_SIZE]
    return concat([interpreter.as_tensor(np.zeros(_SIZE, np.int64)), words], 0)[-_SIZE:]


def _state_of(key: Any, counter: Any) -> Any:
    """A state of key [] and counter [2]."""
    if not isinstance(key, (Tensor, Variable)) and not isinstance(counter, (Tensor, Variable)):
        words = [_signed(int(n)) for n in (*np.ravel(np.asarray(counter, object)), np.asarray(key, object).item())]
        if len(words) != _SIZE:
            raise ShapeError(f"random.Generator: counter must have shape [2], but is {counter!r}").locate()
        return interpreter.as_tensor(np.array(words, np.int64))
    counter = Cast(int64)(interpreter.as_tensor(counter))
    return concat([counter, reshape(Cast(int64)(interpreter.as_tensor(key)), [1])], 0)


@public("random.Generator", "random.experimental.Generator")
class Generator:
    """Random numbers from a state of its own. Make one with `from_seed` or its like.

    Args:
      copy_from: a Generator whose state is copied.
      state: int64 [3], or a variable that is used as it is; alg: "philox", 1 or an Algorithm.
    Raises:
      ValueError: neither copy_from nor state and alg are given, or alg is another generator than Philox.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        if copy_from is not None:
            if alg is not None or state is not None:
                raise ArgumentError("random.Generator: give copy_from, or state and alg, not both").locate()
            state, alg = copy_from.state, PHILOX
        elif alg is None or state is None:
            raise ArgumentError(
                "random.Generator: state and alg are needed; see from_seed and from_non_deterministic_state"
            ).locate()
        _check_algorithm(alg)
        if isinstance(state, Variable) and copy_from is None:
            self._state_var = state
        else:
            value = state.value() if isinstance(state, Variable) else interpreter.as_tensor(state, int64)
            if not compatible(value.spec.shape, (_SIZE,)):
                raise ShapeError(
                    f"random.Generator: Philox's state must have shape [3], not {text(value.spec.shape)}"
                ).locate()
            self._state_var = Variable(value, dtype=int64, trainable=False, name="StateVar")

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """A generator that goes on from a state, int64 [3], or uses a variable as its state."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator whose numbers an int, or up to three of them, says."""
        return cls(state=create_rng_state(seed, alg), alg=PHILOX)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that starts anywhere: by the operating system's random numbers."""
        _check_algorithm(alg)
        return cls(state=create_rng_state(int.from_bytes(os.urandom(8 * _SIZE), "little"), alg), alg=PHILOX)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """A generator of a key, [], at a counter, [2], low half first."""
        _check_algorithm(alg)
        return cls(state=_state_of(key, counter), alg=PHILOX)

    def reset(self, state: Any) -> None:
        """Goes on from another state, int64 [3]."""
        self._state_var.assign(state)

    def reset_from_seed(self, seed: Any) -> None:
        """Goes on as `from_seed(seed)` starts."""
        self._state_var.assign(create_rng_state(seed, None))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Goes on as `from_key_counter(key, counter)` starts."""
        self._state_var.assign(_state_of(key, counter))

    def _trackable_children(self) -> dict[str, Any]:
        """What checkpoints hold, under TensorFlow's name."""
        return {"_state_var": self._state_var}

    @property
    def state(self) -> Variable:
        """The state, int64 [3]: a variable."""
        return self._state_var

    @property
    def algorithm(self) -> int:
        """The generator's number: 1, Philox."""
        return PHILOX

    @property
    def key(self) -> Tensor:
        """The key, int64 []."""
        return self._state_var.value()[2]

    def skip(self, delta: Any) -> Any:
        """Goes on as if delta numbers had been drawn. Returns the state before, int64 [3]."""
        return RngReadAndSkip()(self._state_var.handle, np.int32(PHILOX), Cast(uint64)(interpreter.as_tensor(delta)))

    def _start(self, sizes: Any, each: int = 1) -> tuple[Tensor, Tensor]:
        """(key, counter) for a draw of this shape; the state moves on."""
        state = self.skip(reduce_prod(Cast(int64)(sizes)) * each)
        return state[2], state[:2]

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, name: str | None = None
    ) -> Tensor:
        """Draws from the normal distribution; mean and stddev broadcast to shape."""
        return self._scaled(d.StatelessRandomNormalV2, "stateful_normal", shape, mean, stddev, dtype, name)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, name: str | None = None
    ) -> Tensor:
        """Draws from the normal distribution, those two standard deviations or more from the mean drawn again."""
        return self._scaled(d.StatelessTruncatedNormalV2, "truncated_normal", shape, mean, stddev, dtype, name)

    def _scaled(self, op: Any, default: str, shape: Any, mean: Any, stddev: Any, dtype: Any, name: Any) -> Tensor:
        dtype = _real_type(f"random.Generator.{default}", dtype)
        with scope(name, default, shape, mean, stddev) as full:
            sizes = _sizes(shape)
            centre, spread = _parameters(dtype, mean=mean, stddev=stddev)
            return AddV2()(op(dtype)(sizes, *self._start(sizes)) * spread, centre, name=full)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, name: str | None = None
    ) -> Tensor:
        """Numbers in [minval, maxval), all equally likely; maxval is 1 for floats. Of integers minval=None means the
        type's whole range.

        Raises:
          ValueError: maxval is missing for an integer dtype.
        """
        dtype = _real_type("random.Generator.uniform", dtype, integers=True)
        if dtype.is_integer and (minval is None) != (maxval is None):
            raise ArgumentError(
                f"random.Generator.uniform: for integer dtype {dtype!r}, minval and maxval must be both None or both "
                f"given; got minval={minval} and maxval={maxval}"
            ).locate()
        if dtype.is_integer and minval is None:
            return self.uniform_full_int(shape, dtype, name)
        with scope(name, "stateful_uniform", shape, minval, maxval) as full:
            sizes = _sizes(shape)
            low, high = _parameters(dtype, min=minval, max=1 if maxval is None else maxval)
            if dtype.is_integer:
                return d.StatelessRandomUniformIntV2()(sizes, low, high, *self._start(sizes), name=full)
            drawn = d.StatelessRandomUniformV2(dtype)(sizes, *self._start(sizes))
            return AddV2()(drawn * (high - low), low, name=full)

    def uniform_full_int(self, shape: Any, dtype: Any = uint64, name: str | None = None) -> Tensor:
        """Integers over the whole range of their type: int32, uint32, int64 or uint64."""
        with scope(name, "stateful_uniform_full_int", shape) as full:
            sizes = _sizes(shape)
            return d.StatelessRandomUniformFullIntV2(as_dtype(dtype))(sizes, *self._start(sizes), name=full)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = int32, name: str | None = None) -> Tensor:
        """How many of `counts` tries succeed, each with chance `probs`; both broadcast to shape.

        Raises:
          ArgumentError: a count is below 0, or a chance outside [0, 1].
        """
        with scope(name, "binomial", shape, counts, probs):
            return binomial_at(shape, counts, probs, dtype, self._start(_sizes(shape), _BINOMIAL_EACH))

    def make_seeds(self, count: Any = 1) -> Tensor:
        """Seeds for stateless functions, one a column. int64 [2, count]"""
        drawn = self.uniform_full_int([count], int64)
        return stack([drawn, drawn * 0])

    def split(self, count: int = 1) -> list[Generator]:
        """New generators, each with a key drawn from this one."""
        keys = self.uniform_full_int([count], int64)
        return [Generator.from_key_counter(keys[i], [0, 0], PHILOX) for i in range(count)]


class _Process:
    """The process's generator."""

    generator: Generator | None = None


@public("random.get_global_generator", "random.experimental.get_global_generator")
def get_global_generator() -> Generator:
    """The process's generator, made at the first call, anywhere."""
    if _Process.generator is None:
        with init_scope():
            _Process.generator = Generator.from_non_deterministic_state()
    return _Process.generator


@public("random.set_global_generator", "random.experimental.set_global_generator")
def set_global_generator(generator: Generator) -> None:
    """Puts another generator in the place of the process's."""
    _Process.generator = generator
