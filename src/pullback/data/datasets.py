"""The public Dataset classes: TensorFlow 2's, and TensorFlow 1's, which adds graph iterators."""

from __future__ import annotations

from typing import Any

from pullback.core import nest
from pullback.core.names import public
from pullback.core.tensor import EagerTensor, Tensor
from pullback.data.dataset import FACES, Recipe
from pullback.data.making import Making
from pullback.data.mapping import Mapping
from pullback.data.ordering import Ordering
from pullback.data.shaping import Shaping


@public("data.Dataset", v1=None)
class Dataset(Making, Mapping, Ordering, Shaping):
    """A recipe for elements, made by the static methods and changed by the others, each of which gives a new dataset.

    variant_tensor: what another dataset's `_variant_tensor` holds.
    The methods take a `name`, which has no meaning: a dataset is no operation that could bear it.
    """

    def __init__(self, variant_tensor: Any) -> None:
        bound = variant_tensor.value
        self._set(bound.dataset._spec, lambda run: bound.elements(), (), lambda run: bound.size())


class _AnyDataset(type):
    """Every dataset is one of TensorFlow 1's too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Recipe) if cls.__name__ == "DatasetV1" else type.__instancecheck__(cls, instance)


@public(v1="data.Dataset")
class DatasetV1(Dataset, metaclass=_AnyDataset):
    """TensorFlow 1's Dataset: has make_one_shot_iterator, make_initializable_iterator, output_types and so on."""

    _v1 = True

    def __init__(self) -> None:
        raise TypeError("a Dataset is made by its static methods, as tf.data.Dataset.from_tensor_slices(...)")

    def make_one_shot_iterator(self) -> Any:
        """An iterator that needs no initialisation and goes through the dataset once.

        Raises:
          ValueError: the dataset hangs on placeholders or variables.
        """
        from pullback.data.graph_iterators import make_one_shot_iterator

        return make_one_shot_iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Any:
        """An iterator that begins whenever its `initializer` runs."""
        from pullback.data.graph_iterators import make_initializable_iterator

        return make_initializable_iterator(self, shared_name)

    @property
    def output_types(self) -> Any:
        return get_output_types(self)

    @property
    def output_shapes(self) -> Any:
        return get_output_shapes(self)

    @property
    def output_classes(self) -> Any:
        return get_output_classes(self)

    def filter_with_legacy_function(self, predicate: Any) -> Any:
        """The same as `filter`."""
        return self.filter(predicate)


FACES.update(v1=DatasetV1, v2=Dataset)


@public(v1="data.get_output_types")
def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of the elements' components, in their structure."""
    return nest.mapped(lambda s: s.dtype, dataset_or_iterator.element_spec)


@public(v1="data.get_output_shapes")
def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The shapes of the elements' components, in their structure."""
    return nest.mapped(lambda s: s.shape, dataset_or_iterator.element_spec)


@public(v1="data.get_output_classes")
def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The Python classes of the elements' components, in their structure."""
    from pullback.ops.sparse import SparseTensor, SparseTensorSpec

    return nest.mapped(
        lambda s: SparseTensor if isinstance(s, SparseTensorSpec) else Tensor, dataset_or_iterator.element_spec
    )


@public("data.experimental.get_structure")
def get_structure(dataset_or_iterator: Any) -> Any:
    """The spec of the elements."""
    return dataset_or_iterator.element_spec


@public("data.experimental.get_single_element")
def get_single_element(dataset: Any) -> Any:
    """The only element of a dataset."""
    return dataset.get_single_element()


@public("data.experimental.from_variant")
def from_variant(variant: Any, structure: Any) -> Any:
    """The dataset that a variant tensor holds. structure: the spec of its elements."""
    return Dataset._from_variant(variant, structure)


@public("data.experimental.to_variant")
def to_variant(dataset: Any) -> EagerTensor:
    """A variant tensor that holds a dataset."""
    return dataset._variant_tensor
