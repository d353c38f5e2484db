"""InputSpec: what a layer needs its inputs to be."""

from __future__ import annotations

from typing import Any

from pullback.core import nest, shape
from pullback.core.dtypes import as_dtype
from pullback.core.errors import ShapeError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.core.tensor import Tensor


@public("keras.layers.InputSpec", v1=("keras.layers.InputSpec", "layers.InputSpec"))
class InputSpec:
    """What a layer needs of one input.

    Args:
      dtype: its type. shape: its shape, None where anything goes.
      ndim, max_ndim, min_ndim: how many axes it has, at most, at least.
      axes: {axis: size}.
      allow_last_axis_squeeze: a last axis of size 1 may lack, or be there beyond `shape`.
      name: the key of the input where inputs are a dictionary.
      optional: the input may be None.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else as_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): _size(v) for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional

    def get_config(self) -> dict[str, Any]:
        """What the constructor was given."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)

    def check(self, x: Any, which: str) -> None:
        """
        Raises:
          ShapeError: the input is not as needed. `which` names layer and input.
        """
        have = x.spec.shape
        if have is None:
            return
        rank = len(have)
        for fits, wanted in (
            (self.ndim is None or rank == self.ndim or self._squeezes(have), f"ndim={self.ndim}"),
            (self.max_ndim is None or rank <= self.max_ndim, f"max_ndim={self.max_ndim}"),
            (self.min_ndim is None or rank >= self.min_ndim, f"min_ndim={self.min_ndim}"),
            (self.dtype is None or x.dtype.name == self.dtype, f"dtype={self.dtype}"),
        ):
            if not fits:
                raise _misfit(which, f"expected {wanted}, found ndim={rank}, dtype={x.dtype.name}", have)
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and have[axis] not in (size, None):
                raise _misfit(which, f"expected axis {axis} of input shape to have value {size}", have)
        if self.shape is not None and not shape.compatible(have, self.shape) and not self._squeezes(have):
            raise _misfit(which, f"expected shape={shape.text(self.shape)}", have)

    def _squeezes(self, have: Any) -> bool:
        wanted = self.shape
        if not self.allow_last_axis_squeeze or wanted is None:
            return False
        short = have[:-1] if have[-1:] == (1,) else have
        return shape.compatible(short, wanted[:-1] if wanted[-1:] == (1,) else wanted)

    def __repr__(self) -> str:
        said = {k: v for k, v in self.get_config().items() if v}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in said.items())})"


def _size(n: Any) -> int | None:
    value = getattr(n, "value", n)
    return None if value is None else int(value)


def _misfit(which: str, what: str, have: Any) -> ShapeError:
    return ShapeError(
        f"{which} is incompatible with the layer: {what}. Full shape received: {shape.text(have)}"
    ).locate()  # type: ignore[return-value]


def check_inputs(specs: Any, inputs: Any, layer: str) -> None:
    """Checks inputs against what a layer says of them: an InputSpec, or a list of them.

    Raises:
      ValueError: there are too few or too many inputs, one is None, or does not fit.
    """
    if specs is None:
        return
    wanted = list(specs) if isinstance(specs, (list, tuple)) else [specs]
    given = [x for x in nest.leaves_of(inputs) if isinstance(x, Tensor) or x is None]
    if len(given) != len(wanted):
        raise ValueError(f'Layer "{layer}" expects {len(wanted)} input(s), but it received {len(given)} input tensors')
    for i, (spec, x) in enumerate(zip(wanted, given, strict=True)):
        if spec is None or (x is None and spec.optional):
            continue
        if x is None:
            raise ValueError(f'Input {i} of layer "{layer}" must be a tensor, but is None')
        spec.check(x, f'Input {i} of layer "{layer}"')
