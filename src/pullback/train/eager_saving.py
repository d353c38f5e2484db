"""What a Saver does without a graph: values of variables to files and back, at once."""

from __future__ import annotations

from typing import Any

from pullback.core.errors import InvalidArgumentError
from pullback.io import bundle, checkpoints, messages

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def save(path: str, variables: dict[str, Any]) -> None:
    """Writes eager variables under their names."""
    bundle.write_bundle(path, {bundle.check_name(name): v.numpy() for name, v in variables.items()})


def restore(path: str, variables: dict[str, Any]) -> None:
    """Assigns eager variables what a checkpoint holds under their names.

    Raises:
      NotFoundError: a name is not in it. InvalidArgumentError: a type differs. ShapeError: a shape does.
    """
    found = checkpoints.opened(path)
    values = {name: found.tensor(name) for name in variables}
    for name, variable in variables.items():
        if found.dtype(name) is not variable.dtype:
            raise InvalidArgumentError(
                f"tensor {name!r} is {found.dtype(name).name} in checkpoint {path!r}, but the variable is "
                f"{variable.dtype.name}"
            ).locate()
        variable.assign(values[name])


def step_of(step: Any) -> int:
    """A step given as an eager tensor or variable."""
    return int(step)


def object_graph_of(found: checkpoints.Checkpoint, path: str) -> Any:
    """The object graph of a checkpoint of tf.train.Checkpoint; None of another."""
    if OBJECT_GRAPH not in found:
        return None
    data: Any = found.tensor(OBJECT_GRAPH)[()]
    return messages.parsed(messages.TrackableObjectGraph(), data, f"{path}, {OBJECT_GRAPH}")


def keys_by_name(path: str) -> dict[str, str]:
    """Of a checkpoint with an object graph: a variable's name -> the key its value is stored under."""
    graph = object_graph_of(checkpoints.opened(path), path)
    nodes = graph.nodes if graph is not None else ()
    return {a.full_name: a.checkpoint_key for node in nodes for a in node.attributes if a.full_name}
