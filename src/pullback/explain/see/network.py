"""A network to look into: where its images enter, its layers by path, and how its values are computed.

    callable --traced for the images' shape--> graph --.
    Session, placeholder, feeds -------------> graph --+--> View: images, layers, run(tensors, images)

Every tool here works on a View, so each serves graphs, functions and eager models alike. A path is a name that the
model gave (a key of the dict it returns), an operation ("conv5/Relu"), a tensor ("conv5/Relu:0") or a name scope
("conv5": the last tensor made in it; also inside other scopes, where one alone has such a scope).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.core import interpreter, nest
from pullback.core.backprop import between
from pullback.core.config import config
from pullback.core.errors import ArgumentError, DTypeError, ShapeError
from pullback.core.graph import Graph
from pullback.core.shape import compatible, text
from pullback.core.spec import Spec
from pullback.core.tensor import EagerTensor, Operation, Tensor
from pullback.explain.see.order import channels_first, enters_first, last
from pullback.modes.function import Function

# Shapes of images for which a callable's trace is kept.
MOST_VIEWS = 16
# Fetched sets of tensors whose programs a View keeps.
MOST_PROGRAMS = 64


class View:
    """A network for images of one shape.

    graph, images: the graph, and its tensor [N,H,W,C] that the images are fed to.
    """

    def __init__(
        self,
        graph: Graph,
        images: Tensor,
        named: Mapping[str, Tensor],
        run: Callable[[Sequence[Tensor], NDArray[Any]], list[Any]],
    ) -> None:
        self.graph, self.images, self._named, self._run = graph, images, dict(named), run
        self._path: list[Any] = [n for n in between([images], graph.nodes, lambda dtype: True)[0] if n.outputs]
        if enters_first(images, self._path):
            raise ShapeError(
                f"{images.name!r}: the model takes its images channels first, [N,C,H,W]; give it [N,H,W,C] and let it "
                "begin with tf.transpose(images, [0, 3, 1, 2])"
            ).locate()

    def run(self, tensors: Sequence[Tensor], images: NDArray[Any]) -> list[Any]:
        """The tensors' values for a batch of images."""
        return self._run(tensors, images)

    def values(self, path: Any, images: NDArray[Any]) -> NDArray[Any]:
        """A layer's values for a batch of images, channels last. Raises: as `layer`."""
        layer = self.layer(path)
        return last(np.asarray(self.run([layer], images)[0]), channels_first(layer))

    @property
    def layers(self) -> dict[str, Tensor]:
        """Path -> the first tensor of what depends on the images: names that the model gave, then operations."""
        operations = {n.name: n.outputs[0] for n in self._path}
        return {**self._named, **{name: t for name, t in operations.items() if name not in self._named}}

    def layer(self, path: Any) -> Tensor:
        """The layer at a path; a tensor of the graph is itself.

        Raises:
          ArgumentError: there is none; names the nearest. Or nothing in it depends on the images.
          DTypeError: it holds integers, which have no derivatives.
        """
        found = self._found(path)
        if found is None:
            raise ArgumentError(self._unknown(str(path))).locate()
        if found is not self.images and not any(t is found for n in self._path for t in n.outputs):
            raise ArgumentError(
                f"layer {path!r} does not depend on the images {self.images.name!r}, so nothing can be projected back"
            ).locate()
        if not found.dtype.is_floating:
            floats = [n.name for n in self._path if n.outputs[0].dtype.is_floating][-3:]
            raise DTypeError(
                f"layer {path!r} is {found.dtype.name}, which has no derivatives; choose a layer of floats, "
                f"such as {_quoted(floats) or 'one before it'}"
            ).locate()
        return found

    def _found(self, path: Any) -> Tensor | None:
        if isinstance(path, Tensor):
            return path if not isinstance(path, EagerTensor) and path.node.graph is self.graph else None
        if path in self._named:
            return self._named[path]
        name, _, index = str(path).partition(":")
        operation = self.graph._by_name.get(name)
        if operation is not None and (index or "0").isdigit() and int(index or 0) < len(operation.outputs):
            return operation.outputs[int(index or 0)]
        if index:
            return None
        inside = [n for n in self._path if n.name.startswith(f"{name}/")] or self._deeper(name)
        floats = [n.outputs[0] for n in inside if n.outputs[0].dtype.is_floating]
        return floats[-1] if floats else inside[-1].outputs[0] if inside else None

    def _deeper(self, name: str) -> list[Operation]:
        """The operations of a scope that other scopes hold, "model/conv5/..." of "conv5"; none where several do."""
        at = [f"/{n.name}/".find(f"/{name}/") for n in self._path]
        inside = [(n, n.name[:i]) for n, i in zip(self._path, at, strict=True) if i >= 0]
        return [n for n, _ in inside] if len({front for _, front in inside}) == 1 else []

    def _unknown(self, path: str) -> str:
        names = list(self.layers)
        scopes = {n.rpartition("/")[0] for n in names} - {""}
        known = [*names, *sorted(scopes - set(names))]
        holding = [n for n in known if path.lower() in n.lower()]
        near = list(dict.fromkeys([*holding, *difflib.get_close_matches(path, known, 8, 0.4)]))[:8]
        told = f"the nearest are {_quoted(near)}" if near else f"there are {_quoted(known[:8])}"
        rest = f", of {len(known)} in all" if len(known) > 8 else ""
        return f"there is no layer {path!r} that depends on the images; {told}{rest}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


class Network:
    """A model that images can be shown to. Made by `network_of`."""

    def view(self, shape: tuple[int, ...], dtype: Any) -> View:
        """The network for batches of this shape [N,H,W,C]."""
        raise NotImplementedError

    def prepared(self, images: Any) -> NDArray[Any]:
        """The images as the network takes them, [N,H,W,C]; one image [H,W,C] becomes a batch of one.

        Raises:
          ShapeError: they are no images, or there are none. ArgumentError: a pixel is NaN or infinite.
        """
        array = np.asarray(images)
        if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
            raise DTypeError(f"images: an array of {array.dtype} was given; numbers are needed").locate()
        array = array.astype(self.dtype_for(array.dtype), copy=False)
        array = array[None] if array.ndim == 3 else array
        if array.ndim != 4:
            raise ShapeError(
                f"images: shape {text(array.shape)} was given; needed is a batch [N,H,W,C] or one image [H,W,C]"
            ).locate()
        if 0 in array.shape:
            raise ShapeError(
                f"images: the batch of shape {text(array.shape)} is empty; give one image or more"
            ).locate()
        bad = ~np.isfinite(array).all(axis=(1, 2, 3))
        if bad.any():
            first = int(np.argmax(bad))
            count = int((~np.isfinite(array[first])).sum())
            raise ArgumentError(
                f"images: {int(bad.sum())} of {len(array)} hold NaN or infinity (image {first}: {count} of "
                f"{array[first].size} values); nothing could be told apart behind them"
            ).locate()
        return array

    def dtype_for(self, dtype: np.dtype[Any]) -> Any:
        """What images of this type are given to the network as."""
        return dtype if dtype in (np.float32, np.float64) else np.dtype(np.float32)


class SessionNetwork(Network):
    """A graph whose values a session computes.

    images: the tensor that images are fed to. feeds: {tensor: value} for the rest (keep_prob, is_training, ...).
    layers: {name: tensor} as further paths.
    """

    def __init__(self, images: Tensor, session: Any, feeds: Any = None, layers: Any = None) -> None:
        if images.spec.rank not in (4, None) or not images.dtype.is_floating:
            raise ShapeError(
                f"{images!r} cannot be fed images; give the float placeholder [N,H,W,C] that they enter by"
            ).locate()
        if session is None:
            raise ArgumentError(
                f"{images!r} is a graph's tensor, so a session must compute it: give session=, with the variables "
                "initialised or restored"
            ).locate()
        self._session, feeds = session, dict(feeds or {})

        def run(tensors: Sequence[Tensor], values: NDArray[Any]) -> list[Any]:
            if not compatible(values.shape, images.spec.shape):
                raise ShapeError(
                    f"images: shape {text(values.shape)} does not fit {images.name!r} of {text(images.spec.shape)}"
                ).locate()
            return session.run(list(tensors), {images: values, **feeds})

        self._view = View(images.graph, images, named_tensors(layers), run)

    def view(self, shape: tuple[int, ...], dtype: Any) -> View:
        return self._view

    def dtype_for(self, dtype: np.dtype[Any]) -> Any:
        return self._view.images.dtype.numpy


class TracedNetwork(Network):
    """A callable `model(images)`: traced once for each shape, functions inside it included."""

    def __init__(self, model: Callable[[Any], Any]) -> None:
        self._model, self._views = model, dict[Any, View]()

    def view(self, shape: tuple[int, ...], dtype: Any) -> View:
        key = shape, np.dtype(dtype).name
        if key not in self._views:
            if len(self._views) >= MOST_VIEWS:
                self._views.clear()
            self._views[key] = self._traced(Spec(shape, interpreter.spec_of(np.zeros(0, dtype)).dtype))
        return self._views[key]

    def _traced(self, spec: Spec) -> View:
        eager = interpreter.eager()
        body = Graph(eager.dialect, eager, getattr(self._model, "__name__", "model"))
        before, config.functions_run_eagerly = config.functions_run_eagerly, True  # their ops, not one Call
        try:
            with body.as_default():
                images = body.parameter(spec, "images")
                result = (self._model.python_function if isinstance(self._model, Function) else self._model)(images)
        finally:
            config.functions_run_eagerly = before
        return View(body, images, {n: body.adopt(t) for n, t in named_tensors(result).items()}, _runs(body, images))


def _runs(body: Graph, images: Tensor) -> Callable[[Sequence[Tensor], NDArray[Any]], list[Any]]:
    programs: dict[Any, Any] = {}

    def run(tensors: Sequence[Tensor], values: NDArray[Any]) -> list[Any]:
        engine = interpreter.engine()
        key = engine, body.rewrites, tuple(map(id, tensors))
        if key not in programs:
            if len(programs) >= MOST_PROGRAMS:
                programs.clear()
            programs[key] = engine.program(body.with_outputs(tensors))
        captured: list[Any] = list(body.captures.values())
        outside = {id(inner): outer.value for outer, inner in captured}
        given = [values if t is images else outside[id(t)] for t in body.inputs]
        return list(programs[key](interpreter.eager().store, *given))

    return run


def named_tensors(layers: Any) -> dict[str, Tensor]:
    """What a model returned, by name: a dict's keys, "a/b" where dicts nest; else position, "0", "1"; of one tensor
    "output"."""
    if layers is None:
        return {}
    if isinstance(layers, Tensor):
        return {"output": layers}
    if hasattr(layers, "_asdict"):
        layers = layers._asdict()
    elif hasattr(layers, "__dataclass_fields__"):
        layers = {name: getattr(layers, name) for name in layers.__dataclass_fields__}
    pairs = layers.items() if isinstance(layers, Mapping) else enumerate(nest.leaves_of(layers))
    found: dict[str, Tensor] = {}
    for name, value in pairs:
        if isinstance(value, Tensor):
            found[str(name)] = value
        elif isinstance(value, (Mapping, list, tuple)):
            found.update({f"{name}/{inner}": t for inner, t in named_tensors(value).items()})
    return found


def network_of(model: Any, *, session: Any = None, feeds: Any = None, layers: Any = None) -> Network:
    """The network that a model is.

    Args:
      model: a callable from images [N,H,W,C] to a tensor or a dict, list or dataclass of named tensors (a function, a
        `tf.function`, a module); or, of a graph, the tensor its images are fed to, or the Graph itself when it has one
        placeholder of images; or a Network.
      session, feeds: what computes a graph, and what it is fed besides the images.
      layers: {name: tensor}, further names in a graph.
    Raises:
      ArgumentError: the model is none of these; a graph has no placeholder of images, or several.
    """
    if isinstance(model, Network):
        return model
    if isinstance(model, Graph):
        model = _entrance(model)
    if isinstance(model, Tensor) and not isinstance(model, EagerTensor):
        return SessionNetwork(model, session, feeds, layers)
    if not callable(model):
        raise ArgumentError(
            f"{type(model).__name__} is no network; give a callable from images to tensors, or a graph's placeholder"
        ).locate()
    if session is not None or feeds or layers:
        raise ArgumentError(
            "session, feeds and layers belong to a graph; a callable has its values and returns its layers by name"
        ).locate()
    return TracedNetwork(model)


def _entrance(graph: Graph) -> Tensor:
    """The graph's one placeholder of images."""
    fed: list[Operation] = [n for n in graph.nodes if n.type in ("Placeholder", "PlaceholderWithDefault")]
    images = [n.outputs[0] for n in fed if n.outputs[0].spec.rank == 4 and n.outputs[0].dtype.is_floating]
    if len(images) == 1:
        return images[0]
    names = [f"{n.name} {text(n.outputs[0].spec.shape)}" for n in fed]
    raise ArgumentError(
        f"the graph has {len(images) or 'no'} float placeholders [N,H,W,C]; give the tensor that images are fed to. "
        f"Its placeholders: {', '.join(names) or 'none'}"
    ).locate()
