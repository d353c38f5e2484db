"""Dataset: a recipe for elements. Nothing runs until an iterator asks.

A dataset is four things: the spec of its elements; `_elements(run)`, which iterates; `_reads`, the symbolic tensors
that it needs; `_size(run)`, how many elements it has, where that is known without iterating.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.graph import Graph
from pullback.core.names import public, public_value
from pullback.core.tensor import EagerTensor, Tensor
from pullback.data.structure import Leaves
from pullback.data.traced import Bound, Run, Traced

AUTOTUNE = -1
INFINITE, UNKNOWN = -1, -2
public_value("AUTOTUNE", "data.AUTOTUNE", "data.experimental.AUTOTUNE")
public_value("INFINITE", "data.INFINITE_CARDINALITY", "data.experimental.INFINITE_CARDINALITY")
public_value("UNKNOWN", "data.UNKNOWN_CARDINALITY", "data.experimental.UNKNOWN_CARDINALITY")

Elements = Callable[[Run], Iterator[Leaves]]
Size = Callable[[Run], int]


def unknown_size(run: Run) -> int:
    return UNKNOWN


class Recipe:
    """The part of a dataset that its transformations share: making others, calling functions, iterating."""

    _v1 = False
    _spec: Any
    _elements: Elements
    _reads: list[Tensor]
    _size: Size
    _options: Any = None
    _batch_size: Any = None  # of one that `batch` or `padded_batch` made

    def _set(self, spec: Any, elements: Elements, reads: Sequence[Tensor] = (), size: Size = unknown_size) -> None:
        self._spec, self._elements, self._size = spec, elements, size
        self._reads = list({id(t): t for t in reads}.values())

    @classmethod
    def _new(cls, spec: Any, elements: Elements, reads: Sequence[Tensor] = (), size: Size = unknown_size) -> Any:
        """A dataset of this dialect."""
        made = object.__new__(cls._face())
        made._set(spec, elements, reads, size)
        return made

    @classmethod
    def _face(cls) -> Any:
        return FACES["v1" if cls._v1 else "v2"]

    def _then(
        self, elements: Elements, spec: Any = None, reads: Sequence[Tensor] = (), size: Size | None = None
    ) -> Any:
        """A dataset made of this one; of the same spec and size unless others are given."""
        made = self._new(self._spec if spec is None else spec, elements, [*self._reads, *reads], size or self._size)
        made._options = self._options
        return made

    @classmethod
    def _here(cls) -> Any:
        """The interpreter that functions are traced for."""
        from pullback.modes.default import _Default, get_default_graph

        here = interpreter.current()
        return here if isinstance(here, Graph) or not cls._v1 or _Default.eager else get_default_graph()

    @classmethod
    def _traced(cls, f: Callable[..., Any], *specs: Any) -> Traced:
        if not callable(f):
            raise ArgumentError(f"a dataset needs a callable, not {f!r} (of type {type(f)})").locate()

        def as_dataset(variant: Any, spec: Any) -> Any:
            return cls._from_variant(variant, spec)

        return Traced(f, specs, cls._here(), as_dataset)

    @classmethod
    def _from_variant(cls, variant: Tensor, spec: Any) -> Any:
        """The dataset that a variant tensor holds."""

        def elements(run: Run) -> Iterator[Leaves]:
            return run.of(variant).elements()

        reads = [] if isinstance(variant, EagerTensor) else [variant]
        return cls._new(spec, elements, reads, lambda run: run.of(variant).size())

    def _function(self, f: Callable[..., Any]) -> Traced:
        """A function of this dataset's elements: a tuple is given as arguments."""
        if type(self._spec) is tuple:
            return self._traced(f, *self._spec)
        return self._traced(f, self._spec)

    @property
    def _leaf_specs(self) -> list[Any]:
        return nest.leaves_of(self._spec)

    @property
    def element_spec(self) -> Any:
        """TensorSpecs in the structure of an element."""
        return self._spec

    @property
    def _variant_tensor(self) -> EagerTensor:
        from pullback.core.spec import Spec

        return EagerTensor(Spec((), dtypes.variant), Bound(self, Run(interpreter.eager().store)))

    def options(self) -> Any:
        """The Options in force."""
        from pullback.data.options import Options

        return self._options or Options()

    def with_options(self, options: Any, name: str | None = None) -> Any:
        """The same dataset with these options; none of them changes elements or their order."""
        made = self._then(self._elements)
        made._options = options if self._options is None else self._options.merge(options)
        return made

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """transformation_func of the dataset."""
        return transformation_func(self)

    def _refuse_graph(self, what: str) -> None:
        if isinstance(interpreter.current(), Graph) or isinstance(self._here(), Graph):
            raise RuntimeError(
                f"{what} is only supported when eager execution is enabled; in a graph use "
                "tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()"
            )

    def __iter__(self) -> Any:
        """An iterator over eager elements.

        Raises:
          RuntimeError: a graph is being built.
        """
        from pullback.data.iterators import OwnedIterator

        self._refuse_graph("iterating over a tf.data.Dataset")
        return OwnedIterator(self)

    def __bool__(self) -> bool:
        return True

    __nonzero__ = __bool__

    def __len__(self) -> int:
        """The number of elements.

        Raises:
          TypeError: it is infinite or not known.
        """
        self._refuse_graph("len of a tf.data.Dataset")
        size = self._size(Run(interpreter.eager().store))
        if size < 0:
            raise TypeError(f"The dataset is {'infinite' if size == INFINITE else 'of unknown length'}.")
        return size

    def cardinality(self, name: str | None = None) -> Tensor:
        """The number of elements, INFINITE_CARDINALITY (-1) or UNKNOWN_CARDINALITY (-2). [] int64"""
        count = self._size(Run(interpreter.eager().store)) if not self._reads else UNKNOWN
        return interpreter.as_tensor(count, dtypes.int64)

    def as_numpy_iterator(self) -> Any:
        """An iterator over elements as NumPy values, in the dataset's structure."""
        from pullback.data.iterators import NumpyIterator

        self._refuse_graph("as_numpy_iterator()")
        return NumpyIterator(self)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Raises:
          InvalidArgumentError: there is none, or more than one.
        """
        self._refuse_graph("get_single_element()")
        found = list(itertools.islice(iter(self), 2))
        if len(found) != 1:
            problem = "Dataset was empty." if not found else "Dataset had more than one element."
            raise InvalidArgumentError(problem).locate()
        return found[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} element_spec={self._spec!r}>"


FACES: dict[str, Any] = {}


def known(value: Any) -> int | None:
    """An integer argument where it is known already."""
    return int(value.value) if isinstance(value, EagerTensor) else None


def whole(value: Any, what: str, least: int | None = None) -> Tensor:
    """An integer argument as a tensor, eager where it is no symbolic one.

    Raises:
      ValueError: it is below `least`. TypeError, DTypeError: it is no integer.
    """
    tensor = (
        value
        if isinstance(value, Tensor)
        else interpreter.as_tensor(value, dtypes.int64, here=interpreter.eager(), what=what)
    )
    number = known(tensor)
    if least is not None and number is not None and number < least:
        raise InvalidArgumentError(f"{what} must be at least {least}, but is {number}").locate()
    return tensor


def calls_allowed(value: Any, what: str) -> None:
    """Checks num_parallel_calls and the like, which choose no more than speed.

    Raises:
      ValueError: it is neither None, AUTOTUNE nor positive.
    """
    number = None if value is None else known(whole(value, what))
    if number is not None and number < 1 and number != AUTOTUNE:
        raise InvalidArgumentError(f"{what} must be positive, AUTOTUNE or None, but is {number}").locate()


def symbolic(*tensors: Tensor) -> list[Tensor]:
    """Those that an iterator must be given when it starts."""
    return [t for t in tensors if not isinstance(t, EagerTensor)]


@public("data.experimental.cardinality")
def cardinality(dataset: Any) -> Tensor:
    """The number of elements, INFINITE_CARDINALITY or UNKNOWN_CARDINALITY."""
    return dataset.cardinality()
