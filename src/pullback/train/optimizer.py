"""TensorFlow 1's optimizer: compute_gradients and apply_gradients, and minimize, which is both.

A subclass says what it keeps (`_create_slots`), what it needs once a step (`_prepare`, `_finish`) and how a variable
moves (`_apply_dense`, `_apply_sparse`): TensorFlow's names, so that optimizers written for it work here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.basics import ZerosLike
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.modes.default import GraphKeys, get_default_graph, init_scope
from pullback.modes.gradients import gradients
from pullback.modes.grouping import group
from pullback.modes.scopes import get_variable_scope
from pullback.modes.tape import GradientTape
from pullback.modes.variable import Variable, VariableV1
from pullback.ops.array.creation import Fill
from pullback.ops.math.select import Cast
from pullback.train.places import Place, summed, written


@public(v1="train.Optimizer")
class Optimizer:
    """Base of TensorFlow 1's optimizers.

    Args:
      use_locking: has no effect: an update is whole in any case.
      name: scope of what a step adds to the graph, and last part of its slots' names.
    Raises:
      ValueError: the name is empty.
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str, use_own_namescope_for_non_slot_vars: bool = False) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._name, self._use_locking = name, use_locking
        self._own_namescope = use_own_namescope_for_non_slot_vars
        # Slot name -> id of a variable -> (the variable, its slot). The variable is kept so that its id stays its own.
        self._slots: dict[str, dict[int, tuple[Variable, Variable]]] = {}
        self._moved: Any = None  # a variable of the step that is being made
        self._non_slots: dict[tuple[str, int], tuple[Any, Variable]] = {}

    def get_name(self) -> str:
        return self._name

    # --- steps -----------------------------------------------------------------------------------------------------

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
          var_list: a variable or a list; by default all trainable ones, eagerly those the loss reads.
          gate_gradients, aggregation_method, colocate_gradients_with_ops: choose order, memory, place, never numbers.
          grad_loss: the cotangent the loss starts from; ones by default.
        Raises:
          ValueError: there is no variable to train, or one is not floating. TypeError: var_list holds something else.
          RuntimeError: the loss is an eager tensor, which remembers nothing.
        """
        if gate_gradients not in (0, 1, 2):
            raise ValueError(f"gate_gradients must be one of GATE_NONE, GATE_OP, GATE_GRAPH, not {gate_gradients}")
        listed = None if var_list is None else [var_list] if isinstance(var_list, Variable) else list(var_list)
        for v in listed or ():
            if not isinstance(v, Variable):
                raise TypeError(f"Argument is not a tf.Variable: {v!r}")
        if callable(loss):
            with GradientTape() as tape:
                tape.watch(listed or [])
                value = loss()
            variables = list(tape.watched_variables()) if listed is None else listed
            self._check_dtypes([value, *variables])
            return list(zip(tape.gradient(value, variables, grad_loss), variables, strict=True))
        if not isinstance(loss, Tensor) or isinstance(loss, EagerTensor):
            raise RuntimeError(
                "`loss` passed to Optimizer.compute_gradients should be a function when eager execution is enabled: "
                "wrap what computes it, lambda: ..."
            )
        graph = loss.graph
        variables = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES) if listed is None else listed
        if not variables:
            raise ValueError("No variables to optimize.")
        self._check_dtypes([loss, *variables])
        with graph.as_default():
            found = gradients(loss, variables, None if grad_loss is None else [grad_loss])
        return list(zip(found, variables, strict=True))

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """An operation that updates the variables, and then adds 1 to global_step. Eagerly it is done at once.

        Args:
          grads_and_vars: pairs (gradient, variable); a gradient is a tensor, IndexedSlices or None.
          global_step: a variable that counts steps.
        Raises:
          ValueError: no pair has a gradient.
        """
        given = tuple(grads_and_vars)
        if not given:
            raise ValueError("No variables provided.")
        pairs = [(g, v) for g, v in given if g is not None]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[getattr(v, 'name', v) for _, v in given]}.")
        variables = [v for _, v in pairs]
        with self._home(variables[0]):
            here = interpreter.current()
            with init_scope():
                self._create_slots(variables)
            with here.name_scope(name or self._name) as scope:
                self._prepare()
                self._moved = variables[0]
                updates = []
                for g, v in pairs:
                    with here.name_scope(f"update_{v._shared_name}" if v._graph is not None else "update"):
                        updates.append(self._update(g, v))
                if global_step is None:
                    done = self._finish(updates, scope)
                else:
                    done = self._finish(updates, "update")
                    with self._after([done]):
                        counted = global_step.assign_add(1, name=scope)
                    done = counted.op if isinstance(counted, Tensor) else done
            if isinstance(here, Graph) and done is not None:
                here.add_to_collection(GraphKeys.TRAIN_OP, done)
            return done

    @staticmethod
    def _home(v: Variable) -> Any:
        """Context: where a step on this variable belongs."""
        inside = isinstance(interpreter.current(), Graph)
        return contextlib.nullcontext() if inside or v._graph is None else v._graph.as_default()

    def _update(self, g: Any, v: Variable) -> Any:
        if isinstance(g, IndexedSlices) and v.constraint is None:
            return self._apply_sparse_duplicate_indices(g, v)
        if isinstance(g, IndexedSlices) or not isinstance(g, Tensor):
            g = interpreter.as_tensor(g, v.dtype)
        made = self._apply_dense(g, v)
        if v.constraint is None:
            return made
        with self._after([made]):
            return v.assign(v.constraint(v.read_value()), read_value=False)

    def _valid_dtypes(self) -> set[dtypes.DType]:
        """The types that losses and variables may have."""
        return {dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64}

    def _check_dtypes(self, tensors: list[Any]) -> None:
        valid = self._valid_dtypes()
        for t in tensors:
            if isinstance(t, (Tensor, Variable)) and t.dtype not in valid:
                label = "the loss" if isinstance(t, EagerTensor) else t.name
                raise ValueError(
                    f"Invalid type {t.dtype!r} for {label}, expected: {sorted(d.name for d in valid)}; use tf.cast"
                )

    # --- what a subclass says --------------------------------------------------------------------------------------

    def _create_slots(self, var_list: list[Variable]) -> None:
        """Makes what is kept for each variable; called before every step, finds what is there."""

    def _prepare(self) -> None:
        """Makes the tensors that a step needs once."""

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        """Moves a variable; gives the Operation that does, in graphs."""
        return self._resource_apply_dense(grad, var)

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how a variable moves: write _apply_dense")

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Variable) -> Any:
        """As `_apply_sparse`, of a gradient whose rows may share indices: they are added first."""
        return self._apply_sparse(summed(grad), var)

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Any:
        """Moves a variable by rows; unless a subclass knows better, as by the dense gradient."""
        return self._resource_apply_sparse(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        rows = tuple(handle.spec.shape)
        return self._apply_dense(interpreter.as_tensor(IndexedSlices(grad, indices, rows)), handle)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        """An operation that is done when the step is."""
        return group(*_operations(update_ops), name=name_scope)

    def _after(self, update_ops: list[Any]) -> Any:
        """Context: what is made inside comes after these updates."""
        ops = _operations(update_ops)
        return interpreter.current().control_dependencies(ops) if ops else contextlib.nullcontext()

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    # --- what is kept ----------------------------------------------------------------------------------------------

    def get_slot(self, var: Variable, name: str) -> Any:
        """A slot of a variable; None where this optimizer keeps none of the name."""
        found = self._slots.get(name, {}).get(id(var))
        return None if found is None else found[1]

    def get_slot_names(self) -> list[str]:
        """The names that `get_slot` knows."""
        return sorted(self._slots)

    def variables(self) -> list[Variable]:
        """The variables that the optimizer keeps for itself, in the current graph or eagerly, by name."""
        here = interpreter.current()
        graph = here.outermost if isinstance(here, Graph) else get_default_graph()
        kept = [v for _, v in self._non_slots.values()]
        kept += [slot for slots in self._slots.values() for _, slot in slots.values()]
        return sorted((v for v in kept if v._graph is None or v._graph is graph), key=lambda v: v.name)

    def _zeros_slot(self, var: Variable, slot_name: str, op_name: str) -> Variable:
        return self._filled_slot(var, 0.0, slot_name, op_name)

    def _filled_slot(self, var: Variable, value: float, slot_name: str, op_name: str) -> Variable:
        """The slot of a variable; made full of `value` at first."""

        def start() -> Any:
            if shape.known(var.spec.shape):
                return Fill()(var.spec.shape or (), np.asarray(value, var.dtype.numpy))
            return ZerosLike()(var.value() if var._graph is None else var.initial_value) + value

        return self._slot(var, start, slot_name, op_name)

    def _get_or_make_slot(self, var: Variable, val: Any, slot_name: str, op_name: str) -> Variable:
        return self._slot(var, lambda: val, slot_name, op_name)

    def _slot(self, var: Variable, start: Callable[[], Any], slot_name: str, op_name: str) -> Variable:
        slots = self._slots.setdefault(slot_name, {})
        if id(var) not in slots:
            slots[id(var)] = var, shadow(var, start, op_name, self._named_alike(var, op_name))
        return slots[id(var)][1]

    def _named_alike(self, var: Variable, op_name: str) -> int:
        """How many slots of a variable bear this name already. Graphs number by themselves."""
        made = [slots[id(var)][1].name for slots in self._slots.values() if id(var) in slots]
        return sum(name.startswith(f"{var._shared_name}/{op_name}") for name in made)

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Variable) -> Variable:
        """A variable of the optimizer as a whole, one in each graph."""
        key = name, id(colocate_with._graph)
        if key not in self._non_slots:
            if colocate_with._graph is None:
                made: Variable = Variable(initial_value, trainable=False, name=name)
            elif self._own_namescope:
                with colocate_with._graph.name_scope(None):
                    made = VariableV1(initial_value, trainable=False, name=f"{self._name}/{name}")
            else:
                made = VariableV1(initial_value, trainable=False, name=name)
            self._non_slots[key] = colocate_with._graph, made
        return self._non_slots[key][1]

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        found = self._non_slots.get((name, id(graph)))
        return None if found is None else found[1]


class FormulaOptimizer(Optimizer):
    """An optimizer whose step is a formula over places.

    settings: what is a number, a tensor or a function that gives one; as tensors in a step, by `self._setting`.
    keeps: {slot name: its first value}.
    """

    def __init__(
        self, use_locking: bool, name: str, settings: dict[str, Any], keeps: dict[str, float], own: bool = False
    ) -> None:
        super().__init__(use_locking, name, own)
        self._settings, self._keeps = settings, keeps
        self._tensors: dict[str, Tensor] = {}

    def _create_slots(self, var_list: list[Variable]) -> None:
        for v in var_list:
            for slot, start in self._keeps.items():
                self._filled_slot(v, start, slot, self._label(slot))

    def _label(self, slot: str) -> str:
        """The last part of the names of a slot's variables."""
        return self._name

    def _prepare(self) -> None:
        given = {name: self._call_if_callable(value) for name, value in self._settings.items()}
        self._tensors = {name: interpreter.as_tensor(value, name=name) for name, value in given.items()}

    def _setting(self, name: str, v: Variable) -> Tensor:
        """A setting in a variable's type."""
        return in_type(self._tensors[name], v)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return self._apply(grad, var, None)

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Any:
        return self._apply(grad.values, var, grad.indices)

    def _apply(self, g: Tensor, var: Variable, rows: Tensor | None) -> Any:
        slots = {name: Place(self.get_slot(var, name), rows) for name in self._keeps}
        w = Place(var, rows)
        self._move(w, g, slots, lambda name: self._setting(name, var))
        return written([*slots.values(), w])

    def _move(self, w: Place, g: Tensor, slots: dict[str, Place], setting: Callable[[str], Tensor]) -> None:
        """The formula: what the variable and its slots become."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a variable moves: write _move")


def in_type(t: Any, v: Variable) -> Tensor:
    """A tensor or variable in a variable's type."""
    t = interpreter.as_tensor(t)
    return t if t.dtype is v.dtype else Cast(v.dtype)(t)


def shadow(var: Variable, start: Any, name: str, taken: int = 0) -> Variable:
    """A variable that goes with another: `w/name`, under the variable scope in force; not trainable."""
    if var._graph is None:
        return Variable(start, trainable=False, name=f"{var._shared_name}/{name}{f'_{taken}' if taken else ''}")
    scope = get_variable_scope().name
    full = f"{scope}/{var._shared_name}/{name}" if scope else f"{var._shared_name}/{name}"
    with var._graph.as_default(), var._graph.name_scope(None):
        return VariableV1(start, trainable=False, name=full, validate_shape=shape.known(var.spec.shape))


def _operations(update_ops: list[Any]) -> list[Any]:
    """Those of the updates that are operations or tensors of a graph; in bodies and eagerly they are done in order."""
    return [u for u in update_ops if isinstance(u, (Operation, Tensor))]
