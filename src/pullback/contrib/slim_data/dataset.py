"""`slim.dataset`: what a data set is; and `slim.data_decoder`, what decodes its records."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from typing import Any

from pullback.contrib.arg_scope import contrib


@contrib("slim.dataset", "Dataset")
class Dataset:
    """A data set, described; nothing is read yet.

    Args:
      data_sources: files, as `slim.parallel_reader.get_data_files` takes them. reader: the class that reads them, as
        tf.TFRecordReader. decoder: a DataDecoder of its records.
      num_samples: how many records there are. items_to_descriptions: {item: what it is}.
      kwargs: further facts, as num_classes; all are attributes.
    """

    def __init__(
        self,
        data_sources: Any,
        reader: Any,
        decoder: Any,
        num_samples: Any,
        items_to_descriptions: Any,
        **kwargs: Any,
    ) -> None:
        self.data_sources, self.reader, self.decoder = data_sources, reader, decoder
        self.num_samples, self.items_to_descriptions = num_samples, items_to_descriptions
        for name, value in kwargs.items():
            setattr(self, name, value)


@contrib("slim.data_decoder", "DataDecoder")
class DataDecoder(abc.ABC):
    """Base of what makes tensors, by the names of items, of an encoded record."""

    @abc.abstractmethod
    def decode(self, data: Any, items: Any) -> list[Any]:
        """The tensors of the items, in their order, of a record. [] string"""

    @abc.abstractmethod
    def list_items(self) -> Iterable[str]:
        """The items that can be decoded."""
