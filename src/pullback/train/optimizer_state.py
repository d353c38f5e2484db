"""What TensorFlow 2's (Keras's) optimizers keep: the count of steps, the rate, and variables that go with others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.tensor import Tensor
from pullback.modes.variable import Variable
from pullback.ops.array.creation import Fill
from pullback.train.compiled_steps import CompiledSteps
from pullback.train.schedules import LearningRateSchedule, deserialize, serialize

_names: dict[str, int] = {}
# Attributes that compiled steps do not hang on: a rate that is a number stands in a variable.
_OF_A_STEP = {"_compiled", "_done", "learning_rate", "lr"}


class OptimizerState:
    """An optimizer's settings and variables. The steps are in optimizer_v2.py, the arguments explained there."""

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)  # its name before TensorFlow 2.3
        self.decay = float(kwargs.pop("decay", None) or 0.0)  # before TensorFlow 2.11
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        if sum(x is not None for x in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
        if use_ema and ema_overwrite_frequency is not None and ema_overwrite_frequency < 1:
            raise ValueError(
                f"`ema_overwrite_frequency` must be an integer >= 1 or None, not {ema_overwrite_frequency}"
            )
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(
                f"`gradient_accumulation_steps` must be an integer >= 2, not {gradient_accumulation_steps}"
            )
        self.name = name or _numbered(type(self).__name__)
        self.weight_decay, self.clipnorm, self.clipvalue = weight_decay, clipnorm, clipvalue
        self.global_clipnorm, self.use_ema, self.ema_momentum = global_clipnorm, use_ema, ema_momentum
        self.ema_overwrite_frequency, self.loss_scale_factor = ema_overwrite_frequency, loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables: list[Variable] = []
        self._trainable: list[Variable] = []
        self._index: dict[int, int] = {}
        self._kept: dict[str, list[Variable]] = {}
        self._undecayed: tuple[set[int], Any] = (set(), None)
        self._done: list[Any] = []
        self._compiled = CompiledSteps()
        self._iterations = self.add_variable((), dtype=dtypes.int64, name="iteration")
        self._learning_rate: Any = learning_rate
        if not callable(learning_rate) or isinstance(learning_rate, Variable):
            if isinstance(learning_rate, (str, bytes, type(None))) or np.ndim(learning_rate):
                raise ValueError(
                    "Argument `learning_rate` should be a number, a LearningRateSchedule or a function without "
                    f"arguments. Received instead: learning_rate={learning_rate!r}"
                )
            self._learning_rate = self.add_variable((), learning_rate, dtypes.float32, name="learning_rate")

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name not in _OF_A_STEP:
            object.__setattr__(self, "_compiled", CompiledSteps())

    # --- what it keeps ---------------------------------------------------------------------------------------------

    def keeps(self) -> dict[str, float]:
        """{name of what is kept for each variable: its first value}, in the order `move` takes them."""
        return {}

    def build(self, variables: Any) -> None:
        """Makes what is kept for each variable. The first step does it by itself."""
        if self.built:
            return
        self._trainable = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable)}
        extra = {"average": 0.0} if self.use_ema else {}
        extra |= {"gradient_accumulator": 0.0} if self.gradient_accumulation_steps else {}
        self._kept = {name: [] for name in (*extra, *self.keeps())}
        for some in (extra, self.keeps()):
            for v in self._trainable:
                for name, start in some.items():
                    self._kept[name].append(self.add_variable_from_reference(v, name, start))
        self.built = True

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A variable of the optimizer as a whole; `initializer` is "zeros", a number, or a function (shape, dtype).

        aggregation, layout: about copies on several devices; one process holds one.
        """
        dtype = dtypes.as_dtype(dtype or dtypes.float32)
        shape = tuple(shape)
        if callable(initializer) and not isinstance(initializer, Variable):
            start: Any = lambda: initializer(shape, dtype=dtype)  # noqa: E731
        else:
            value = 0 if initializer == "zeros" else initializer
            start = lambda: Fill()(shape, np.asarray(value, dtype.numpy))  # noqa: E731
        made = Variable(start, trainable=False, name=f"{self.name}/{name or 'variable'}")
        self._variables.append(made)
        return made

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the same shape and type as another."""
        like = reference_variable
        label = like._shared_name.replace("/", "_")
        return self.add_variable(like.spec.shape, initializer, like.dtype, name=f"{label}_{name or 'var'}")

    def add_optimizer_variables(self, trainable_variables: Any, name: Any, initializer: Any = "zeros") -> Any:
        """For each variable one of the same shape and type; for several names a tuple of lists."""
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(names) != len(starts):
            raise ValueError(f"{len(names)} names were given for {len(starts)} initializers: {name}, {initializer}")
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for v in trainable_variables:
            for into, n, start in zip(made, names, starts, strict=True):
                into.append(self.add_variable_from_reference(v, n, start))
        return made[0] if isinstance(name, str) else made

    @property
    def variables(self) -> list[Variable]:
        """The step count, the learning rate where it is a variable, and what is kept for each variable."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many steps were taken."""
        if self.gradient_accumulation_steps:
            return interpreter.as_tensor(self._iterations) // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The rate now: the variable, what the schedule says at this step, or what the function gives."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if callable(learning_rate) and not isinstance(learning_rate, Variable):
            if isinstance(self._learning_rate, Variable):
                self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(
                np.float32(learning_rate) if not isinstance(learning_rate, Tensor) else learning_rate
            )
        else:
            raise TypeError(
                "This optimizer was created with a schedule or function as its learning rate, hence its rate is not "
                "settable; make it with a number, or set another schedule."
            )

    lr = learning_rate

    def set_weights(self, weights: Any) -> None:
        """Gives `variables` these values.

        Raises:
          ValueError: the optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError("set_weights: call `optimizer.build(trainable_variables)` first")
        for v, value in zip(self._variables, weights, strict=True):
            v.assign(value)

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate)
        elif isinstance(rate, LearningRateSchedule):
            rate = serialize(rate)
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **({"decay": self.decay} if self.decay else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """An optimizer made with these arguments.

        custom_objects: {class name: class} of schedules that are not ours.
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize(config["learning_rate"], custom_objects)
        return cls(**config)


def _numbered(kind: str) -> str:
    """`adam`, `adam_1`, ..."""
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", kind).lower()
    count = _names[name] = _names.get(name, -1) + 1
    return f"{name}_{count}" if count else name
