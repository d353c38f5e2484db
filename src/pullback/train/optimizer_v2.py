"""TensorFlow 2's (Keras's) optimizer: apply_gradients, and minimize, over variables that exist.

A subclass names what it keeps (`keeps`) and how a variable moves (`move`), or does as Keras's own subclasses do and
overrides `build` and `update_step`.

A sparse gradient gives what the dense one would: all rows' averages decay, and rows that share an index are added first
(Keras 3 squares them one by one, so that its step hangs on how the rows are listed).
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.modes.default import init_scope
from pullback.modes.grouping import group
from pullback.modes.tape import GradientTape
from pullback.modes.variable import Variable
from pullback.ops.control.cond import cond
from pullback.ops.math.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from pullback.ops.math.select import Cast
from pullback.train.optimizer import in_type
from pullback.train.optimizer_state import OptimizerState
from pullback.train.places import Place


@public("optimizers.Optimizer", "keras.optimizers.Optimizer", v1=("keras.optimizers.Optimizer",))
class OptimizerV2(OptimizerState):
    """Base of TensorFlow 2's optimizers.

    Args:
      learning_rate: a number, kept in a variable; a LearningRateSchedule; or a function without arguments.
      weight_decay: before each step w <- w - w weight_decay rate.
      clipnorm: the largest L2 norm of each gradient. clipvalue: the largest entry. global_clipnorm: the largest common
        norm. At most one of the three.
      use_ema: keeps averages a <- ema_momentum a + (1 - ema_momentum) w; every ema_overwrite_frequency steps w <- a.
      loss_scale_factor: gradients are divided by it; `scale_loss` multiplies by it.
      gradient_accumulation_steps: gradients gather for so many calls, and their mean is applied at the last.
      name: part of the variables' names.
      lr, decay: as before TensorFlow 2.11: another name of learning_rate, and the rate at step t is divided by
        1 + decay t.
    Raises:
      ValueError: an argument is not known, out of range, or two of clipnorm, clipvalue, global_clipnorm are given.
    """

    # --- steps -----------------------------------------------------------------------------------------------------

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Any:
        """One step.

        Args:
          loss: a function without arguments, or a tensor together with the tape that saw it made.
          var_list: the variables, or a function that gives them.
          grad_loss: the cotangent the loss starts from; ones by default.
          name: scope of what a graph gains.
        """
        if not callable(loss) and tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed: give the tape that recorded it.")
        if callable(loss):
            with GradientTape() as tape:
                if not callable(var_list):
                    tape.watch(var_list)
                loss = loss()
        variables: Any = var_list() if callable(var_list) else var_list
        variables = [variables] if isinstance(variables, Variable) else list(variables)
        here = interpreter.current()
        with here.name_scope(name) if name else contextlib.nullcontext():
            grads = tape.gradient(loss, variables, grad_loss)
            return self.apply_gradients(zip(grads, variables, strict=True))

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """One step by pairs (gradient, variable).

        Returns:
          The step count; in a session's graph an Operation that takes the step.
        Raises:
          ValueError: no pair has a gradient, or a variable was not there when the optimizer was built.
        """
        pairs = list(grads_and_vars)
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """As `apply_gradients`, of gradients for the variables the optimizer was built with."""
        grads = list(grads)
        if trainable_variables is None:
            if not self.built:
                raise ValueError("apply: give the variables, or call `optimizer.build(trainable_variables)` first")
            if len(grads) != len(self._trainable):
                raise ValueError(f"{len(grads)} gradients were given for {len(self._trainable)} variables")
            trainable_variables = self._trainable
        variables = list(trainable_variables)
        if not grads:
            return self._iterations
        if not self.built:
            with init_scope():
                self.build(variables)
            self.built = True
        if not self._index:
            self._trainable, self._index = variables, {id(v): i for i, v in enumerate(variables)}
        if self._compiled.taken(self, self._learning_rate, grads, variables):
            return self._iterations
        self._done = []
        graph = self._iterations._graph
        with graph.as_default() if graph is not None and not _building() else contextlib.nullcontext():
            here = interpreter.current()
            with here.name_scope(self.name):
                self._apply(*self._present(grads, variables))
                with here.control_dependencies(self._done) if self._done else contextlib.nullcontext():
                    self.note(self._iterations.assign_add(1))
            return group(*self._done) if self._done else self._iterations

    def _present(self, grads: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        unknown = [v.name for v in variables if id(v) not in self._index]
        if unknown:
            raise ValueError(
                f"Unknown variable: {unknown[0]}. This optimizer can only be called for the variables it was "
                "originally built with. When working with a new set of variables, you should recreate a new optimizer "
                "instance."
            )
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        return [_given(g, v) for g, v in pairs], [v for _, v in pairs]

    def _apply(self, grads: list[Any], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            grads = [_mapped(g, lambda x: x / self.loss_scale_factor) for g in grads]
        if self.gradient_accumulation_steps:
            self._gather(grads, variables, self.gradient_accumulation_steps)
        else:
            self._step(grads, variables)
        for v in variables:
            if v.constraint is not None:
                with _after(self._done):
                    self.note(v.assign(v.constraint(v.read_value())))
        if self.use_ema:
            self._average()

    def _step(self, grads: list[Any], variables: list[Variable]) -> None:
        grads = self._clipped(grads)
        rate = self.learning_rate
        if self.decay:
            rate = rate / (1 + self.decay * Cast(rate.dtype)(self._iterations))
        for v in variables:
            if self.weight_decay is not None and self._decays(v):
                self.note(v.assign_sub(v * self.weight_decay * in_type(rate, v)))  # type: ignore[operator]
        with _after(self._done):
            for g, v in zip(grads, variables, strict=True):
                self.update_step(g, v, rate)

    def _gather(self, grads: list[Any], variables: list[Variable], steps: int) -> None:
        """Adds to what was gathered; at every last of `steps` calls a step by the mean instead."""
        gathered = [self._kept["gradient_accumulator"][self._index[id(v)]] for v in variables]
        dense = [interpreter.as_tensor(g) for g in grads]

        def last() -> Any:
            outer, self._done = self._done, []
            self._step([(g + a) / steps for g, a in zip(dense, gathered, strict=True)], variables)  # type: ignore[operator]
            with _after(self._done):
                for a in gathered:
                    self.note(a.assign_sub(a))
            self._done = outer
            return []

        def other() -> Any:
            for g, a in zip(dense, gathered, strict=True):
                a.assign_add(g)
            return []

        self.note(cond((interpreter.as_tensor(self._iterations) + 1) % steps == 0, last, other, strict=True))

    def _average(self) -> None:
        with _after(self._done):
            count = interpreter.as_tensor(self.iterations)
            for v, a in zip(self._trainable, self._kept["average"], strict=True):
                momentum = Cast(v.dtype)(count != 0) * self.ema_momentum
                self.note(a.assign(momentum * a + (1 - momentum) * v))
        if self.ema_overwrite_frequency:

            def overwrite() -> Any:
                for v, a in zip(self._trainable, self._kept["average"], strict=True):
                    v.assign(a)
                return []

            with _after(self._done):
                due = (count + 1) % self.ema_overwrite_frequency == 0
                self.note(cond(due, overwrite, lambda: [], strict=True))

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            return clip_by_global_norm(grads, self.global_clipnorm)[0]
        if self.clipvalue:
            return [clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        g = in_type(gradient, variable)
        places = [Place(self._kept[name][self._index[id(variable)]]) for name in self.keeps()]
        w = Place(variable)
        self.move(w, g, self.rate_for(variable, learning_rate), *places)
        self._done += [place.op for place in (*places, w) if place.op is not None]

    def move(self, w: Place, g: Tensor, rate: Tensor, *kept: Place) -> None:
        """The formula: what the variable and what is kept for it become."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a variable moves: write update_step")

    def rate_for(self, variable: Variable, learning_rate: Any) -> Tensor:
        """The rate in a variable's type."""
        return in_type(learning_rate, variable)

    def note(self, answer: Any) -> None:
        """Keeps what a graph's update hangs on."""
        if isinstance(answer, Tensor) and _building():
            self._done.append(answer.op)  # type: ignore[attr-defined]

    def assign(self, variable: Variable, value: Any) -> None:
        """Gives a variable a value, by rows where it is IndexedSlices. For subclasses' update_step."""
        sparse = isinstance(value, IndexedSlices)
        self.note(variable.scatter_update(value) if sparse else variable.assign(in_type(value, variable)))

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable. For subclasses' update_step."""
        sparse = isinstance(value, IndexedSlices)
        self.note(variable.scatter_add(value) if sparse else variable.assign_add(in_type(value, variable)))

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable. For subclasses' update_step."""
        sparse = isinstance(value, IndexedSlices)
        self.note(variable.scatter_sub(value) if sparse else variable.assign_sub(in_type(value, variable)))

    # --- the rest --------------------------------------------------------------------------------------------------

    def scale_loss(self, loss: Any) -> Any:
        """The loss times loss_scale_factor."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Says which variables do not decay: these, and those whose name holds one of var_names."""
        pattern = re.compile("|".join(set(var_names))) if var_names else None
        self._undecayed = {id(v) for v in var_list or ()}, pattern

    def _decays(self, v: Variable) -> bool:
        listed, pattern = self._undecayed
        return id(v) not in listed and not (pattern and pattern.search(v.name))

    def finalize_variable_values(self, var_list: Any) -> None:
        """Gives the variables their averages, where they are kept."""
        if self.use_ema:
            for v in var_list:
                v.assign(self._kept["average"][self._index[id(v)]])


def _building() -> bool:
    return isinstance(interpreter.current(), Graph)


def _after(ops: list[Any]) -> Any:
    """Context: what is made inside runs after these operations of a session's graph."""
    return interpreter.current().control_dependencies(list(ops)) if ops else contextlib.nullcontext()


def _given(g: Any, v: Variable) -> Any:
    return g if isinstance(g, (Tensor, IndexedSlices)) else interpreter.as_tensor(g, v.dtype)


def _mapped(g: Any, f: Any) -> Any:
    return IndexedSlices(f(g.values), g.indices, g.dense_shape) if isinstance(g, IndexedSlices) else f(g)
