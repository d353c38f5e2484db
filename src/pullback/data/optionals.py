"""Optional: a value, or the knowledge that there is none; in a graph, whenever it runs."""

from __future__ import annotations

from typing import Any

from pullback.core import interpreter
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.data.iterators import component_specs, element_of
from pullback.data.making import held
from pullback.data.optional_ops import IteratorGetNextAsOptional, OptionalGetValue, OptionalHasValue


@public("experimental.Optional", "data.experimental.Optional")
class Optional:
    """A value, or that there is none; made by `from_value` and `empty`."""

    _value: Any = None
    _spec: Any = None
    _there = False
    _variant: Any = None  # in a graph: the tensor that holds the value, and the class of datasets in it

    @classmethod
    def _of(cls, value: Any, spec: Any, there: bool) -> Optional:
        made = cls()
        made._value, made._spec, made._there = value, spec, there
        return made

    @staticmethod
    def _symbolic(optional: Tensor, spec: Any, dataset_class: Any) -> Optional:
        made = Optional._of(None, spec, False)
        made._variant = optional, dataset_class
        return made

    @staticmethod
    def from_value(value: Any) -> Optional:
        """A value, a nest of tensors."""
        return Optional._of(value, held(value)[0], True)

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """None, where a value of this spec might be."""
        return Optional._of(None, element_spec, False)

    @property
    def element_spec(self) -> Any:
        return self._spec

    def has_value(self, name: str | None = None) -> Any:
        if self._variant is not None:
            return OptionalHasValue()(self._variant[0], name=name)
        return interpreter.as_tensor(self._there)

    def get_value(self, name: str | None = None) -> Any:
        """The value.

        Raises:
          InvalidArgumentError: there is none.
        """
        if self._variant is not None:
            specs = component_specs(self._spec)
            get = OptionalGetValue(tuple(s.dtype for s in specs), tuple(s.shape for s in specs))
            return element_of(get(self._variant[0], name=name), self._spec, self._variant[1])
        if not self._there:
            raise ArgumentError("The given optional does not have a value.").locate()
        return self._value


def next_symbolic(handle: Tensor, spec: Any, dataset_class: Any) -> Optional:
    """In a graph: an iterator's next element, or that there is none. dataset_class: of datasets in it."""
    specs = component_specs(spec)
    get = IteratorGetNextAsOptional(tuple(s.dtype for s in specs), tuple(s.shape for s in specs))
    return Optional._symbolic(get(handle), spec, dataset_class)
