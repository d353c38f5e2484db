"""EinsumDense: a matrix product along any axes."""

from __future__ import annotations

import re
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.shape import as_shape
from pullback.layers import activations, constraints
from pullback.layers.base import Layer
from pullback.ops.linalg.einsum import einsum
from pullback.train import regularizers

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@public("keras.layers.EinsumDense")
class EinsumDense(Layer):
    """activation(einsum(equation, x, w) + b), such as Dense's "...c,cu->...u".

    Args:
      equation: "inputs,kernel->outputs" by letters; inputs and outputs may begin or end with an ellipsis.
      output_shape: the sizes of the outputs without the batch's; None where the inputs have them.
      activation: a word or a function. bias_axes: letters of the outputs along which b differs; None: no bias.
      kernel_*, bias_*: initializers, regularizers and constraints of w and b, by words or callables.
    Raises:
      ValueError: the equation cannot be read, or a size of the kernel is not known.
    """

    settings = (
        "equation", "activation", "bias_axes", "kernel_initializer", "bias_initializer",
        "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    )  # fmt: skip
    supports_masking = True

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.equation = equation.replace(" ", "")
        self._partial = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation, self.bias_axes = activations.get(activation), bias_axes
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": list(self._partial)}

    def build(self, input_shape: Any) -> None:
        sizes = self._sizes(as_shape(input_shape))
        kernel = self.equation.partition("->")[0].partition(",")[2]
        unknown = [c for c in kernel if sizes.get(c) is None]
        if unknown:
            raise ArgumentError(
                f"EinsumDense: the size of axis {unknown[0]!r} of the kernel is not known from inputs {input_shape} "
                f"and output_shape {self._partial}; give it in output_shape"
            ).locate()
        self.kernel = self.add_weight_as_set("kernel", [sizes[c] for c in kernel])
        if self.bias_axes:
            self.bias = self.add_weight_as_set("bias", self._bias_shape(sizes))
        self.built = True

    def _sizes(self, given: Any) -> dict[str, Any]:
        """Letter -> size, of what inputs and output_shape tell.

        Raises:
          ValueError: the equation cannot be read, or does not fit the inputs.
        """
        found = _EQUATION.fullmatch(self.equation)
        if not found:
            raise ArgumentError(
                f"EinsumDense: equation {self.equation!r} is not of the form 'inputs,kernel->outputs', as 'ab,bc->ac'"
            ).locate()
        letters, result = found[2], found[6]
        if given is None or len(given) < len(letters):
            raise ArgumentError(f"EinsumDense: inputs {given} have fewer axes than {letters!r}").locate()
        at_end = bool(found[1])
        first = zip(letters, given[-len(letters) :] if at_end else given[: len(letters)], strict=True)
        sizes = dict(first)
        partial = self._partial[-len(result) :] if found[5] else self._partial[: len(result)]
        named = result[-len(partial) :] if found[5] else result[1 : 1 + len(partial)]
        sizes.update((letter, n) for letter, n in zip(named, partial, strict=False) if n is not None)
        return sizes

    def _bias_shape(self, sizes: dict[str, Any]) -> list[Any]:
        """The bias' shape: 1 along axes of the outputs that bias_axes lacks, without those that lead."""
        result = self.equation.partition("->")[2].strip(".")
        strangers = [c for c in self.bias_axes or "" if c not in result]
        if strangers:
            raise ArgumentError(f"EinsumDense: bias axis {strangers[0]!r} is none of the outputs {result!r}").locate()
        first = min(result.index(c) for c in self.bias_axes or "")
        tail = [sizes[c] if c in (self.bias_axes or "") else 1 for c in result[first:]]
        after = [1] * (self.equation.endswith("...") and len(self._partial) + 1 - len(result))
        return [*tail, *after]

    def call(self, inputs: Any) -> Any:
        y = einsum(self.equation, inputs, self.kernel)
        y = y if self.bias is None else y + self.bias
        return y if self.activation is activations.linear else self.activation(y)
