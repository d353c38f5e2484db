"""ExponentialMovingAverage: shadows of variables that follow them slowly."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.default import GraphKeys, get_default_graph, init_scope
from pullback.modes.grouping import group
from pullback.modes.scopes import get_variable_scope
from pullback.modes.variable import Variable, VariableV1
from pullback.ops.math import arithmetic as m
from pullback.ops.math.select import Cast
from pullback.train.optimizer import in_type, shadow

_FLOATS = (dtypes.bfloat16, dtypes.float16, dtypes.float32, dtypes.float64)


@public("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """average <- average - (1 - decay) (average - variable), for each variable, whenever `apply` runs.

    Args:
      decay: in [0, 1); a number, tensor or variable.
      num_updates: a count of steps; the decay is then min(decay, (1 + num_updates) / (10 + num_updates)), so that early
        averages follow faster.
      zero_debias: averages of tensors, which start from 0, are divided by 1 - decay^t.
      name: last part of the averages' names.
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay, self._num_updates, self._zero_debias, self._name = decay, num_updates, zero_debias, name
        self._averages: dict[int, tuple[Any, Variable]] = {}
        self._debias: dict[int, tuple[Variable, Variable]] = {}

    @property
    def name(self) -> str:
        return self._name

    def apply(self, var_list: Any = None) -> Any:
        """Makes the averages at the first call, at the variables' values; moves them at every call.

        Args:
          var_list: variables, in graphs also tensors; by default all trainable variables.
        Returns:
          An operation that moves the averages; None eagerly, where they have moved.
        Raises:
          TypeError: one is not floating, or a tensor is given eagerly.
        """
        if var_list is None:
            var_list = get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES)
        here = interpreter.current()
        for v in var_list:
            if isinstance(v, Tensor) and not isinstance(here, Graph):
                raise TypeError(
                    "tf.train.ExponentialMovingAverage does not support non-Variable tensors when eager execution is "
                    "enabled."
                )
            if v.dtype not in _FLOATS:
                raise TypeError(f"The variables must be half, float, or double: {v.name}")
            if id(v) not in self._averages:
                with init_scope():
                    self._averages[id(v)] = v, self._made(v)
        with here.name_scope(self._name) as scope:
            decay = interpreter.as_tensor(self._decay, name="decay")
            decay = decay if decay.dtype is dtypes.float32 else Cast(dtypes.float32)(decay)
            if self._num_updates is not None:
                count = Cast(dtypes.float32)(interpreter.as_tensor(self._num_updates))
                decay = m.Minimum()(decay, (1 + count) / (10 + count))
            moves = [self._moved(v, 1 - decay) for v in var_list]
            return group(*moves, name=scope) if any(move is not None for move in moves) else None

    def _made(self, v: Any) -> Variable:
        if isinstance(v, Variable):
            average = shadow(v, v.value if v._graph is None else v.initialized_value, self._name)
            if v._graph is not None:
                v._graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, v)
            return average
        label = v.op.name
        average = self._new(f"{label}/{self._name}", ZerosLike()(v) if not shape.known(v.spec.shape) else _zeros(v), v)
        if self._zero_debias:
            biased = self._new(f"{label}/{self._name}/biased", average.initial_value, v)
            steps = self._new(f"{label}/{self._name}/local_step", np.zeros((), v.dtype.numpy), v)
            self._debias[id(average)] = biased, steps
        return average

    def _new(self, name: str, start: Any, v: Tensor) -> Variable:
        scope = get_variable_scope().name
        with v.graph.name_scope(None):
            return VariableV1(start, trainable=False, name=f"{scope}/{name}" if scope else name)

    def _moved(self, v: Any, share: Tensor) -> Any:
        """Moves one average by a share of its distance."""
        _, average = self._averages[id(v)]
        share, value = in_type(share, average), interpreter.as_tensor(v)
        if id(average) not in self._debias:
            made = average.assign_sub((average - value) * share)  # type: ignore[operator]
        else:
            biased, steps = self._debias[id(average)]
            near = biased.assign_sub((biased - value) * share)  # type: ignore[operator]
            made = average.assign(near / (1 - m.Pow()(1 - share, steps.assign_add(1))))
        return made if isinstance(made, Tensor) else None

    def average(self, var: Any) -> Any:
        """The variable that holds the average; None where there is none."""
        found = self._averages.get(id(var))
        return None if found is None else found[1]

    def average_name(self, var: Any) -> str:
        """The name of the variable that holds the average, or would."""
        found = self.average(var)
        if found is not None:
            return found._shared_name
        wanted = f"{var.name.rpartition(':')[0]}/{self._name}"
        return get_default_graph().unique_name(wanted, mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Variable]:
        """{name in a checkpoint: variable}, which gives variables their averages when it is restored.

        Args:
          moving_avg_variables: those that take their averages; by default the trainable ones and those averaged here.
        """
        graph = get_default_graph()
        if moving_avg_variables is None:
            kinds = (GraphKeys.TRAINABLE_VARIABLES, GraphKeys.MOVING_AVERAGE_VARIABLES)
            moving_avg_variables = [v for kind in kinds for v in graph.get_collection(kind)]
        names = {self.average_name(v): v for v in moving_avg_variables}
        averaged = {v.name for v in moving_avg_variables}
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
            if v.name not in averaged:
                names.setdefault(v._shared_name, v)
        return names


def _zeros(v: Tensor) -> Any:
    return np.zeros(v.spec.shape or (), v.dtype.numpy)  # type: ignore[arg-type]
