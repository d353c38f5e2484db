"""The three passes of convolution for any number of spatial axes; the ops are these with a rank and a name.

    y  = forward(x, w)             bilinear in x and w
    dx = to_input(sizes, w, dy)    bilinear in w and dy     = transposed convolution
    dw = to_filter(x, sizes, dy)   bilinear in x and dy

All three come from one number, L = sum over n,p,q,r,s,c,k of x w dy: y is dL/d(dy), dx is dL/dx, dw is dL/dw. So
differentiating any of them by one of its inputs gives another. Complex numbers are not conjugated by the ops; the rules
do it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from pullback.core.backprop import asked
from pullback.core.basics import shape_of
from pullback.core.dtypes import FLOATS
from pullback.core.errors import ArgumentError
from pullback.core.op import REGISTRY, Op
from pullback.core.sample import Sample
from pullback.core.spec import Spec, known_vector
from pullback.ops.math.elementwise import conj
from pullback.ops.nn.conv import batching, reference, shapes, units, window
from pullback.ops.nn.conv.channels_first import expanded


class Convolution(Op):
    """Base of the three: their fields mean the same.

    rank: how many spatial axes. family: the types of the three passes, in the order above.
    depthwise: a filter is [*window, C, M]; channel c of the image makes channels c M to c M + M - 1.
    """

    T = FLOATS
    rank: ClassVar[int] = 2
    family: ClassVar[tuple[str, str, str]]
    depthwise: ClassVar[bool] = False
    strides: Any
    padding: Any
    dilations: Any
    data_format: Any

    def check(self) -> None:
        formats = window.LAYOUTS[self.rank]
        for what in ("strides", "dilations"):
            value = getattr(self, what)
            if not isinstance(value, tuple) or len(value) != self.rank or min(value) < 1:
                count = {2: "a pair of", 3: "three"}[self.rank]
                raise ArgumentError(
                    f"{self.type}: {what} must be {count} positive ints, {window.named(formats[0])}, not {value!r}"
                )
        window.check_format(self.data_format, self.type, formats)
        window.check_padding(self.padding, self.type, self.rank)

    def attrs(self) -> dict[str, Any]:
        attrs = {
            "strides": window.full(self.strides, self.data_format),
            **window.padding_attrs(self.padding, self.data_format),
            "data_format": self.data_format.encode(),
            "dilations": window.full(self.dilations, self.data_format),
        }
        return attrs

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        return window.fields_from(cls, attrs, ("strides", "dilations"), window.LAYOUTS[cls.rank][0])

    def sibling(self, which: int) -> Any:
        """One of the three passes with the same fields."""
        found = self.kernels.get(("sibling", which))
        if found is None:
            found = REGISTRY[self.family[which]](self.strides, self.padding, self.data_format, self.dilations)
            self.kernels["sibling", which] = found
        return found

    @property
    def forward(self) -> Any:
        return self.sibling(0)

    @property
    def to_input(self) -> Any:
        return self.sibling(1)

    @property
    def to_filter(self) -> Any:
        return self.sibling(2)

    def last(self, x: Any) -> Any:
        """The image with its channels last."""
        return x if window.last(self.data_format) else np.moveaxis(x, 1, -1)

    def first(self, x: Any) -> Any:
        """The image in data_format's order again."""
        return x if window.last(self.data_format) else np.ascontiguousarray(np.moveaxis(x, -1, 1))

    def grouped(self, w: Any) -> Any:
        """The shape of the filter as that of a grouped convolution, which the kernels take."""
        return (*w[:-2], 1, w[-2] * w[-1]) if self.depthwise else tuple(w)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        from pullback.ops.nn.conv import samples

        return samples.of(cls, rng)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        from pullback.ops.nn.conv import samples

        return samples.mistakes_of(cls)


class Forward(Convolution):
    """x [N,H,W,C]   w [R,S,c,K]   ->   y [N,P,Q,K]"""

    signature = "input: T, filter: T -> output: T"

    def infer(self, x: Spec, w: Spec) -> Spec:
        return x.with_shape(shapes.forward(self, x.shape or (), w.shape or ()))

    def reference(self, x: Any, w: Any) -> Any:
        at = shapes.settled(self, x.shape, w.shape, None, "forward")
        w = w.reshape(self.grouped(w.shape))
        return self.first(reference.forward(self.last(x), w, at, self.strides, self.dilations))

    def expand(self, x: Any, w: Any) -> Any:
        return expanded(self, (x, w), images=(0,))

    def grad(self, node: Any, dy: Any) -> Any:
        x, w = node.inputs
        to_x, to_w = asked(node)
        dx = self.to_input(shape_of(x), conj(w), dy) if to_x else None
        return dx, self.to_filter(conj(x), shape_of(w), dy) if to_w else None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.forward(self, size, inputs, axes)


class ToInput(Convolution):
    """input_sizes [4]   w [R,S,c,K]   dy [N,P,Q,K]   ->   dx [input_sizes]"""

    signature = "input_sizes: int32|int64, filter: T, out_backprop: T -> output: T"
    static = (0,)

    def infer(self, sizes: Spec, w: Spec, dy: Spec) -> Spec:
        wanted = known_vector(sizes)
        to = (None,) * (self.rank + 2) if wanted is None else wanted
        return dy.with_shape(shapes.to_input(self, to, w.shape or (), dy.shape or ()))

    def reference(self, sizes: Any, w: Any, dy: Any) -> Any:
        to = tuple(sizes.tolist())
        at = shapes.settled(self, to, w.shape, dy.shape, "to_input")
        to, w = shapes.channels_last(to, self.data_format), w.reshape(self.grouped(w.shape))
        return self.first(reference.to_input(to, w, self.last(dy), at, self.strides, self.dilations))

    def expand(self, sizes: Any, w: Any, dy: Any) -> Any:
        return expanded(self, (sizes, w, dy), images=(2,), sizes=0)

    def grad(self, node: Any, g: Any) -> Any:
        _, w, dy = node.inputs
        _, to_w, to_dy = asked(node)
        dw = self.to_filter(g, shape_of(w), conj(dy)) if to_w else None
        return None, dw, self.forward(g, conj(w)) if to_dy else None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.to_input(self, size, inputs, axes)

    def units(self, at: int, inputs: Any) -> Any:
        return units.of_input(self, *inputs) if at == 2 else NotImplemented


class ToFilter(Convolution):
    """x [N,H,W,C]   filter_sizes [4]   dy [N,P,Q,K]   ->   dw [filter_sizes]"""

    signature = "input: T, filter_sizes: int32|int64, out_backprop: T -> output: T"
    static = (1,)

    def infer(self, x: Spec, sizes: Spec, dy: Spec) -> Spec:
        wanted = known_vector(sizes)
        to = (None,) * (self.rank + 2) if wanted is None else wanted
        return x.with_shape(shapes.to_filter(self, x.shape or (), to, dy.shape or ()))

    def reference(self, x: Any, sizes: Any, dy: Any) -> Any:
        to = tuple(sizes.tolist())
        at = shapes.settled(self, x.shape, to, dy.shape, "to_filter")
        x, dy, grouped = self.last(x), self.last(dy), self.grouped(to)
        return reference.to_filter(x, grouped, dy, at, self.strides, self.dilations).reshape(to)

    def expand(self, x: Any, sizes: Any, dy: Any) -> Any:
        return expanded(self, (x, sizes, dy), images=(0, 2), gives=False)

    def grad(self, node: Any, g: Any) -> Any:
        x, _, dy = node.inputs
        to_x, _, to_dy = asked(node)
        dx = self.to_input(shape_of(x), g, conj(dy)) if to_x else None
        return dx, None, self.forward(conj(x), g) if to_dy else None

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        return batching.to_filter(self, size, inputs, axes)

    def units(self, at: int, inputs: Any) -> Any:
        return units.of_filter(self, *inputs) if at == 2 else NotImplemented
