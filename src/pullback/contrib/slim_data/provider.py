"""`slim.data_provider` and `slim.dataset_data_provider`: tensors of a data set, by the names of its items."""

from __future__ import annotations

from typing import Any

from pullback.contrib.arg_scope import contrib
from pullback.contrib.slim_data.parallel_reader import parallel_read


@contrib("slim.data_provider", "DataProvider")
class DataProvider:
    """Tensors by item. items_to_tensors: {item: tensor}. num_samples: how many samples there are."""

    def __init__(self, items_to_tensors: dict[str, Any], num_samples: int) -> None:
        self._items_to_tensors, self._num_samples = items_to_tensors, num_samples

    def get(self, items: Any) -> list[Any]:
        """The tensors of a list of items, all of one sample.

        Raises:
          ValueError: items is no list, or there is no such item.
        """
        if not isinstance(items, (list, tuple)):
            raise ValueError(f"items must be a list or tuple, not {items!r}")
        for item in items:
            if item not in self._items_to_tensors:
                raise ValueError(f"Item [{item}] is invalid. Valid entries include: {self.list_items()}")
        return [self._items_to_tensors[item] for item in items]

    def list_items(self) -> list[str]:
        """The items."""
        return list(self._items_to_tensors)

    def num_samples(self) -> int:
        """How many samples there are."""
        return self._num_samples


@contrib("slim.dataset_data_provider", "DatasetDataProvider")
class DatasetDataProvider(DataProvider):
    """The items of a Dataset, sample after sample; its threads start with the graph's queue runners.

    Args:
      num_readers, reader_kwargs: how many readers, and their arguments. shuffle, seed: whether in random order.
      num_epochs: how often each file is read; None: for ever. It counts in a local variable.
      common_queue_capacity, common_queue_min: of the queue of records, and what it keeps back to choose from.
      record_key: the item that is the record's key, "file:offset".
    Raises:
      ValueError: record_key is an item of the data set, or there are no files.
    """

    def __init__(
        self,
        dataset: Any,
        num_readers: int = 1,
        reader_kwargs: Any = None,
        shuffle: bool = True,
        num_epochs: int | None = None,
        common_queue_capacity: int = 256,
        common_queue_min: int = 128,
        record_key: str = "record_key",
        seed: Any = None,
        scope: Any = None,
    ) -> None:
        key, record = parallel_read(
            dataset.data_sources,
            reader_class=dataset.reader,
            num_epochs=num_epochs,
            num_readers=num_readers,
            reader_kwargs=reader_kwargs,
            shuffle=shuffle,
            capacity=common_queue_capacity,
            min_after_dequeue=common_queue_min,
            seed=seed,
            scope=scope,
        )
        items = list(dataset.decoder.list_items())
        if record_key in items:
            raise ValueError(
                f"The item name used for `record_key` cannot also be used for a dataset item: {record_key}"
            )
        tensors = dataset.decoder.decode(record, items)
        super().__init__(dict(zip(items, tensors, strict=True)) | {record_key: key}, dataset.num_samples)
