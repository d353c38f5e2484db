"""tf.gradients: the chain rule over a graph, as new nodes of the graph."""

from __future__ import annotations

import enum
from typing import Any

from pullback.core import interpreter
from pullback.core.backprop import backprop
from pullback.core.basics import OnesLike, ZerosLike
from pullback.core.dtypes import resource
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.graph import Graph, ancestors
from pullback.core.names import public
from pullback.core.shape import compatible, text
from pullback.core.slices import IndexedSlices
from pullback.core.tensor import EagerTensor, Tensor


@public("UnconnectedGradients")
class UnconnectedGradients(enum.Enum):
    """What the gradient by something unconnected is."""

    NONE = "none"
    ZERO = "zero"


@public("AggregationMethod")
class AggregationMethod:
    """How contributions add up. All give the same numbers; the sum is always one AddN."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def handle_of(x: Any) -> Any:
    """What the chain rule knows a variable by: its handle. A tensor is itself."""
    return getattr(x, "handle", x) if not isinstance(x, Tensor) else x


def zeros_for(x: Any) -> Tensor:
    """Zeros of x's shape; of a variable, of its value's."""
    value = interpreter.as_tensor(x) if not isinstance(x, Tensor) else x
    if value.dtype is resource:
        value = value.node.graph.reads[id(value)]
    return ZerosLike()(value)


@public("gradients", v1=None)
def gradients_v2(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Sum over ys of the derivatives by each x, as new nodes. See `pullback.v1.gradients`.

    Raises:
      RuntimeError: eager tensors have no graph; use GradientTape.
    """
    return gradients(
        ys, xs, grad_ys, name, False, gate_gradients, aggregation_method, stop_gradients, unconnected_gradients
    )


@public(v1="gradients")
def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
    *,
    rules: Any = None,
    on_step: Any = None,
) -> list[Any]:
    """Sum over ys of the derivatives by each x, as new nodes of the graph.

    Args:
      ys, xs: a tensor (or variable), or a list.
      grad_ys: for each y the cotangent it starts from; None entries and None itself mean ones.
      name: scope of the new nodes.
      colocate_gradients_with_ops, gate_gradients, aggregation_method: choose placement, order, memory, never numbers.
      stop_gradients: tensors taken as constants, also between xs: partial instead of total derivatives.
      unconnected_gradients: NONE answers None for an x that no y hangs on, ZERO answers zeros.
      rules: {op class: rule} used instead of the ops' own, as for guided back-propagation.
      on_step: called as on_step(node, dys, dxs) after each node's rule.
    Returns:
      A list as long as xs: Tensor, IndexedSlices or None.
    Raises:
      ValueError: grad_ys has another length or shape. TypeError: a dtype does not fit.
      GradientLookupError (a LookupError): a node on the way has no gradient.
    """
    ys, xs = _listed(ys), _listed(xs)
    stops = [] if stop_gradients is None else _listed(stop_gradients)
    unconnected = UnconnectedGradients(unconnected_gradients)
    here = interpreter.current()
    graph = here if isinstance(here, Graph) else interpreter._graph_of((*ys, *xs))
    if graph is None:
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead."
        )
    grad_ys = [None] * len(ys) if grad_ys is None else _listed(grad_ys)
    if len(grad_ys) != len(ys):
        raise ValueError(f"Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    with graph.as_default(), graph.name_scope(name):
        targets = [_target(graph, y) for y in ys]
        sources = [_inside(graph, x) for x in xs]
        carries = graph.dialect.carries
        seeds = [
            _seed(y, g, i) if carries(y.dtype) else None for i, (y, g) in enumerate(zip(targets, grad_ys, strict=True))
        ]
        for y, g in zip(targets, grad_ys, strict=True):
            if g is not None and not carries(y.dtype):
                raise DTypeError(
                    f"gradients: y {y.name!r} is {y.dtype.name}, which has no gradients, yet a grad_ys was given"
                )
        nodes = ancestors(targets, stops=[t for t in (_inside(graph, s) for s in stops) if t is not None])
        present = [x for x in sources if x is not None]
        answers = iter(backprop(targets, present, seeds, nodes, rules=rules, on_step=on_step, carries=carries))
        dxs = [None if x is None else next(answers) for x in sources]
        if unconnected is UnconnectedGradients.ZERO:
            dxs = [zeros_for(x) if dx is None else dx for x, dx in zip(xs, dxs, strict=True)]
    return dxs


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _target(graph: Graph, y: Any) -> Tensor:
    if isinstance(y, IndexedSlices):
        y = y.values
    return interpreter.as_tensor(y, here=graph)


def _inside(graph: Graph, x: Any) -> Any:
    """The tensor that stands for x in this graph; None when the graph does not use it."""
    x = x.values if isinstance(x, IndexedSlices) else handle_of(x)
    if not isinstance(x, Tensor):
        raise TypeError(f"gradients: {x!r} is no tensor or variable of the graph, so nothing can hang on it")
    if type(x) is not EagerTensor and x.node.graph is graph:
        return x
    found = graph.captures.get(id(x)) or graph._constants.get(id(x))
    return found[1] if found else None


def _seed(y: Tensor, given: Any, i: int) -> Any:
    if given is None:
        return OnesLike()(y, name=f"grad_ys_{i}")
    if isinstance(given, IndexedSlices):
        return given
    if isinstance(given, Tensor) and given.dtype is not y.dtype:
        raise DTypeError(f"gradients: grad_ys[{i}] is {given.dtype.name} but its y is {y.dtype.name}").locate()
    seed = interpreter.as_tensor(given, y.dtype, name=f"grad_ys_{i}")
    if not compatible(seed.spec.shape, y.spec.shape):
        raise ShapeError(
            f"gradients: grad_ys[{i}] has shape {text(seed.spec.shape)} but its y has shape {text(y.spec.shape)}; "
            "they must be the same"
        ).locate()
    return seed


@public("hessians", v1=None)
def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str = "hessians",
) -> list[Any]:
    """For each x the matrix of second derivatives of the sum of ys: shape x.shape + x.shape.

    Raises:
      ArgumentError: the graph cannot tell x's shape.
    """
    from pullback.modes.tape import jacobian_of

    out = []
    with interpreter.current().name_scope(name):
        for x in _listed(xs):
            (dx,) = gradients(ys, x, name="gradients")
            if dx is None:
                raise ArgumentError(f"hessians: no y hangs on {x!r}")
            out.append(jacobian_of(dx, x))
    return out


@public(v1="hessians")
def hessians_v1(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Any]:
    """hessians with TensorFlow 1's order of arguments."""
    return hessians(ys, xs, gate_gradients, aggregation_method, name)
