"""The optimizer's two faces: compute_gradients and apply_gradients, and minimize, which is both."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import Tensor
from pullback.modes.default import GraphKeys, building, get_default_graph
from pullback.modes.gradients import gradients
from pullback.modes.tape import GradientTape
from pullback.modes.variable import Variable, group


@public(v1="train.Optimizer")
class Optimizer:
    """Base of TensorFlow 1's optimizers. A subclass says how one variable is updated: `_dense`, `_sparse`."""

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str, use_own_namescope_for_non_slot_vars: bool = False) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._name, self._use_locking = name, use_locking
        self._own_namescope = use_own_namescope_for_non_slot_vars

    def get_name(self) -> str:
        return self._name

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """An operation that takes one step: compute_gradients, then apply_gradients.

        Raises:
          ValueError: no variable of var_list has a gradient.
        """
        pairs = self.compute_gradients(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss
        )
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[v.name for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Variable]]:
        """Pairs (gradient, variable); the gradient is None where the loss does not hang on the variable.

        Args:
          loss: a tensor; eagerly a function without arguments.
          var_list: the variables; by default all trainable ones.
        Raises:
          ValueError: there is no variable to train. TypeError: var_list holds something else.
        """
        if gate_gradients not in (0, 1, 2):
            raise ValueError(f"gate_gradients must be one of GATE_NONE, GATE_OP, GATE_GRAPH, not {gate_gradients}")
        if callable(loss):
            with GradientTape() as tape:
                for v in var_list or ():
                    tape.watch(v)
                value = loss()
            variables = list(var_list) if var_list is not None else list(tape.watched_variables())
            return list(zip(tape.gradient(value, variables, grad_loss), variables, strict=True))
        graph = loss.graph
        if var_list is None:
            var_list = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        variables = [var_list] if isinstance(var_list, Variable) else list(var_list)
        for v in variables:
            if not isinstance(v, Variable):
                raise TypeError(f"Argument is not a tf.Variable: {v!r}")
        if not variables:
            raise ValueError("No variables to optimize.")
        with graph.as_default():
            found = gradients(loss, variables, None if grad_loss is None else [grad_loss])
        return list(zip(found, variables, strict=True))

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """An operation that updates the variables, and then adds 1 to global_step.

        Raises:
          ValueError: no pair has a gradient.
        """
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        if not pairs:
            raise ValueError(
                f"No gradients provided for any variable: {[getattr(v, 'name', v) for _, v in grads_and_vars]}."
            )
        graph = pairs[0][1]._graph
        with graph.as_default() if graph is not None and not isinstance(interpreter.current(), Graph) else building():
            here = interpreter.current()
            with here.name_scope(name or self._name) as scope:
                self._prepare(pairs)
                updates = []
                for g, v in pairs:
                    with here.name_scope(f"update_{v._shared_name.replace(':', '_')}"):
                        updates.append(self._update(g, v))
                updates += self._finish(pairs)
                if not isinstance(here, Graph):
                    if global_step is not None:
                        global_step.assign_add(1)
                    return None
                if global_step is None:
                    done = group(*updates, name=scope)
                else:
                    with here.control_dependencies(updates):
                        done = global_step.assign_add(1, name=scope).op
                get_default_graph().add_to_collection(GraphKeys.TRAIN_OP, done)
                return done

    def _update(self, g: Any, v: Variable) -> Any:
        if isinstance(g, IndexedSlices) and v.constraint is None:
            return self._sparse(g, v)
        if isinstance(g, IndexedSlices) or not isinstance(g, Tensor):
            g = interpreter.as_tensor(g, v.dtype)
        made = self._dense(g, v)
        if v.constraint is None:
            return made
        here = interpreter.current()
        if not isinstance(here, Graph):
            return v.assign(v.constraint(v))
        with here.control_dependencies([made]):
            return v.assign(v.constraint(v.read_value()))

    def _prepare(self, pairs: list[tuple[Any, Variable]]) -> None:
        """Makes what a step needs once: tensors of hyperparameters, slots."""

    def _dense(self, g: Tensor, v: Variable) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how a variable is updated: write _dense")

    def _sparse(self, g: IndexedSlices, v: Variable) -> Any:
        """One variable by rows; unless a subclass knows better, as a dense gradient."""
        return self._dense(interpreter.as_tensor(g), v)

    def _finish(self, pairs: list[tuple[Any, Variable]]) -> list[Any]:
        """Updates that come once a step, after the variables'."""
        return []

    def get_slot(self, var: Variable, name: str) -> Any:
        """A slot of a variable; None where this optimizer keeps none of the name."""
        return None

    def get_slot_names(self) -> list[str]:
        return []

    def variables(self) -> list[Variable]:
        """The variables that the optimizer keeps for itself."""
        return []
