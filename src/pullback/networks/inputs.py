"""Input and InputLayer: symbolic tensors that layers are called on, for models to be cut from.

Outside of graphs they live in one graph of their own, whose nodes nobody runs; in a session's graph they are its
placeholders.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pullback.core import interpreter
from pullback.core.basics import Placeholder
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor
from pullback.layers import calls, phase
from pullback.layers.base import Layer


class _Symbolic:
    graph: Graph | None = None


def symbolic_graph() -> Graph:
    """The graph of symbolic tensors outside of graphs."""
    if _Symbolic.graph is None:
        _Symbolic.graph = Graph(outer=interpreter.eager(), name="keras_graph")
        calls.history(_Symbolic.graph, make=True)
    return _Symbolic.graph


def forget_graph() -> None:
    """Begins a new one. Models keep theirs."""
    _Symbolic.graph = None


@contextlib.contextmanager
def where_models_are_built() -> Iterator[Graph]:
    """Makes the graph current that symbolic tensors go to."""
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else symbolic_graph()
    calls.history(graph, make=True)
    with interpreter.entered(graph) if graph is not here else contextlib.nullcontext():
        yield graph


@public("keras.layers.InputLayer")
class InputLayer(Layer):
    """Where a model's input comes in.

    Args:
      input_shape: without the batch. batch_size: fixed, if known. dtype: float32 by default.
      input_tensor: in a session's graph, a tensor that stands for the input.
      sparse, ragged: must be left out. type_spec: shape and dtype, in place of theirs.
    """

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool | None = None,
        name: str | None = None,
        ragged: bool | None = None,
        type_spec: Any = None,
        **kwargs: Any,
    ) -> None:
        if sparse or ragged:
            raise ArgumentError("Input: sparse and ragged inputs are not supported; give a dense tensor").locate()
        whole = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
        if type_spec is not None:
            whole, dtype = type_spec.shape, type_spec.dtype
        super().__init__(name=name or _numbered_input(), dtype=dtype or phase.floatx(), **kwargs)
        if input_tensor is not None:
            whole, self._dtype = input_tensor.spec.shape, input_tensor.dtype.name
        if whole is None:
            whole = (batch_size, *(as_shape(input_shape) or ()))
        self._batch_input_shape = tuple(as_shape(whole) or ())
        self.built = True
        with where_models_are_built() as graph:
            made = input_tensor if input_tensor is not None else self._placeholder(graph)
            found: Any = calls.history(graph)
            call = calls.Call(self, (made,), {}, made)
            self._inbound.append(call)
            found.calls[id(made)] = call
            found.starts.add(id(made))

    def _placeholder(self, graph: Graph) -> Tensor:
        with graph.control_dependencies(None):
            return graph.run(Placeholder(as_dtype(self._dtype), self._batch_input_shape), (), self.name)[0]

    @property
    def tensor(self) -> Tensor:
        """The symbolic tensor."""
        return self._inbound[0].outputs

    def get_config(self) -> dict[str, Any]:
        return {"batch_input_shape": list(self._batch_input_shape), "dtype": self._dtype, "name": self.name}


def _numbered_input() -> str:
    from pullback.layers import naming

    return naming.numbered("input", from_zero=False)


@public("keras.Input", "keras.layers.Input")
def Input(
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    tensor: Any = None,
    ragged: bool | None = None,
    type_spec: Any = None,
    **kwargs: Any,
) -> Any:
    """A symbolic tensor that a model takes.

    Args:
      shape: without the batch; None where a size is not fixed. batch_shape: with it.
      batch_size: fixed, if known. dtype: float32 by default.
      tensor: in a session's graph, a tensor that stands for the input.
      sparse, ragged: must be left out. type_spec: a TensorSpec, in place of shape and dtype.
    Raises:
      ValueError: no shape is given.
    """
    whole = kwargs.pop("batch_shape", None) or kwargs.pop("batch_input_shape", None)
    if kwargs:
        raise ArgumentError(f"Input: unknown argument {sorted(kwargs)[0]!r}").locate()
    if shape is None and whole is None and tensor is None and type_spec is None:
        raise ArgumentError("Please provide to Input a `shape`, or a `tensor` or `type_spec`.").locate()
    made = InputLayer(
        shape, batch_size, dtype, tensor, sparse, name, ragged, type_spec,
        **({} if whole is None else {"batch_input_shape": whole}),
    )  # fmt: skip
    return made.tensor
