"""Variables that start from a checkpoint: `init_from_checkpoint`, `warm_start`.

The initialiser becomes the operation that restores, so whoever initialises the variables restores them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape, compatible
from pullback.io import checkpoints
from pullback.io.checkpoint_ops import RestoreV2
from pullback.modes.default import GraphKeys, building, get_default_graph
from pullback.modes.partitioned import PartitionedVariable
from pullback.modes.variable import Variable
from pullback.ops.state import Assign
from pullback.train import eager_saving
from pullback.train.checkpoint_reader import checkpoint_of


@public(v1="train.init_from_checkpoint")
def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Any) -> None:
    """Lets variables start with values of a checkpoint: their initialisers restore. Eagerly they are assigned at once.

    Args:
      ckpt_dir_or_file: a checkpoint, or a folder whose newest is meant.
      assignment_map: {name in the checkpoint: variable, or its name}, or {"scope/" in the checkpoint: "scope/" in the
        graph}, "/" being the outermost; or a list of such pairs.
    Raises:
      ValueError: a name is not in the checkpoint or the graph, or shapes differ.
    """
    path = checkpoint_of(ckpt_dir_or_file)
    found = checkpoints.opened(path)
    pairs = assignment_map.items() if hasattr(assignment_map, "items") else assignment_map
    with building():
        for source, target in sorted(pairs, key=lambda pair: pair[0]):
            for name, variable in _assignments(found, path, source, target):
                _start_from(variable, found, path, name)


def _assignments(found: checkpoints.Checkpoint, path: str, source: str, target: Any) -> list[tuple[str, Variable]]:
    """(name in the checkpoint, variable) of an entry of the map."""
    if isinstance(target, Variable):
        return [(source, target)]
    if isinstance(target, (list, tuple, PartitionedVariable)):
        parts = list(target)
        if any(getattr(part, "_save_slice_info", None) is None for part in parts):
            raise ArgumentError(
                f"init_from_checkpoint: {source!r} maps to a list that is not of the parts of a partitioned variable; "
                "give one variable"
            ).locate()
        return [(source, part) for part in parts]
    variables = {v._shared_name: v for v in _variables()}
    if target in variables:
        return [(source, variables[target])]
    if "/" in source and source[-1] == "/":
        if not target.endswith("/"):
            raise ValueError(
                f"Assignment map with scope only name {target} should map to scope only {source}. "
                "Should be 'scope/': 'other_scope/'."
            )
        inside, outside = target.removeprefix("/"), source.removeprefix("/")
        made = [(outside + name[len(inside) :], v) for name, v in variables.items() if name.startswith(inside)]
        missing = [(name, v.name) for name, v in made if name not in found]
        if missing:
            raise ValueError(f"Tensor {missing[0][0]} ({missing[0][1]} in graph) is not found in {path} checkpoint")
        return made
    raise ValueError(f"Variable {target} in the assignment map is not in the graph; it has {sorted(variables)[:10]}")


def _variables() -> list[Variable]:
    graph = get_default_graph()
    held = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.LOCAL_VARIABLES)
    return [v for v in held if isinstance(v, Variable)]


def _start_from(variable: Variable, found: checkpoints.Checkpoint, path: str, name: str) -> None:
    """Makes a variable's initialiser restore."""
    if name not in found:
        raise ValueError(f"Tensor {name} is not found in {path} checkpoint {dict(_shapes(found))}")
    info = variable._save_slice_info
    expected = variable.shape if info is None else as_shape(info.full_shape)
    if not compatible(as_shape(expected), tuple(found.shape(name))):
        raise ValueError(
            f"Shape of variable {variable.name} ({variable.shape}) doesn't match with shape of tensor {name} "
            f"({found.shape(name)}) from checkpoint reader."
        )
    graph = variable._graph
    if not isinstance(graph, Graph):
        eager_saving.restore(path, {name: variable})
        return
    scope = f"{variable._shared_name}/checkpoint_initializer"
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(None), graph.name_scope(scope):
        names = np.array([name.encode()], object)
        parts = np.array([b"" if info is None else info.spec.encode()], object)
        (value,) = graph.run(RestoreV2((variable.dtype,)), (path, names, parts), "RestoreV2")
        value.set_shape(variable.shape)
        assigned = Assign()(variable.handle, value, name="Assign")
    variable._initializer, variable._initial_value = assigned.op, value


def _shapes(found: checkpoints.Checkpoint) -> list[tuple[str, list[int]]]:
    return [(name, list(found.shape(name))) for name in found.names()]


@public(v1="train.warm_start")
def warm_start(
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: Any = ".*",
    var_name_to_vocab_info: Any = None,
    var_name_to_prev_var_name: dict[str, str] | None = None,
) -> None:
    """Lets variables start with values of a checkpoint, by patterns of their names.

    Args:
      ckpt_to_initialize_from: a checkpoint, or a folder whose newest is meant.
      vars_to_warm_start: a regular expression over trainable variables; a list of them, over all; a list of variables;
        None: no more than var_name_to_prev_var_name names.
      var_name_to_prev_var_name: {variable's name: its name in the checkpoint}, where they differ.
      var_name_to_vocab_info: vocabularies whose rows moved; not supported.
    Raises:
      ArgumentError: var_name_to_vocab_info is given. ValueError: a name is not used, or not in the checkpoint.
    """
    if var_name_to_vocab_info:
        raise ArgumentError(
            "warm_start: var_name_to_vocab_info is not supported: read the embedding by tf.train.load_variable, move "
            "its rows, and assign it"
        ).locate()
    renamed = dict(var_name_to_prev_var_name or {})
    with building():
        chosen = _chosen(vars_to_warm_start, renamed)
    unused = sorted(set(renamed) - {v._shared_name for v in chosen})
    if unused:
        raise ValueError(f"You provided variables in var_name_to_prev_var_name that were not used: {unused}")
    pairs = [(renamed.get(v._shared_name, v._shared_name), v) for v in chosen]
    init_from_checkpoint(ckpt_to_initialize_from, pairs)


def _chosen(asked: Any, renamed: dict[str, str]) -> list[Variable]:
    graph = get_default_graph()
    if isinstance(asked, str):
        trained = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
        return [v for v in trained if re.match(asked, v._shared_name)]
    every = graph.get_collection(GraphKeys.GLOBAL_VARIABLES)
    if asked is None:
        return [v for v in every if v._shared_name in renamed]
    if all(isinstance(x, str) for x in asked):
        return [v for v in every if any(re.match(pattern, v._shared_name) for pattern in asked)]
    if all(isinstance(x, Variable) for x in asked):
        return list(asked)
    raise ValueError("If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.")
