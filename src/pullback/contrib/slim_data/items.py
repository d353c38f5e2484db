"""`slim.tfexample_decoder`: items of Examples, each made of one or more features by its handler."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from typing import Any

import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.slim_data.dataset import DataDecoder

_SPACE = "slim.tfexample_decoder"


def _dense(value: Any, default_value: Any = 0) -> Any:
    """A tensor; what a VarLenFeature gave is filled up."""
    if not isinstance(value, tf.SparseTensor):
        return value
    return tf.sparse_tensor_to_dense(value, "" if value.dtype == tf.string and default_value == 0 else default_value)


@contrib(_SPACE, "ItemHandler")
class ItemHandler(abc.ABC):
    """Base of what makes an item of features. keys: their names, one or several."""

    def __init__(self, keys: Any) -> None:
        self._keys = list(keys) if isinstance(keys, (list, tuple)) else [keys]

    @property
    def keys(self) -> list[str]:
        return self._keys

    @abc.abstractmethod
    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """The item of the parsed features."""


@contrib(_SPACE, "ItemHandlerCallback")
class ItemHandlerCallback(ItemHandler):
    """An item made by a function of {key: tensor}."""

    def __init__(self, keys: Any, func: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(keys)
        self._func = func

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._func(keys_to_tensors)


@contrib(_SPACE, "BoundingBox")
class BoundingBox(ItemHandler):
    """Boxes [n,4] of four VarLenFeatures of n numbers: by default prefix + ymin, xmin, ymax, xmax.

    Raises:
      ValueError: there are not four keys.
    """

    def __init__(self, keys: Any = None, prefix: str = "") -> None:
        sides = ["ymin", "xmin", "ymax", "xmax"] if keys is None else list(keys)
        if len(sides) != 4:
            raise ValueError(f"BoundingBox expects 4 keys but got {len(sides)}")
        super().__init__([f"{prefix or ''}{side}" for side in sides])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        found = [keys_to_tensors[key] for key in self._keys]
        return tf.stack([side.values if isinstance(side, tf.SparseTensor) else side for side in found], axis=1)


@contrib(_SPACE, "Tensor")
class Tensor(ItemHandler):
    """A feature as it is, or in another shape.

    Args:
      shape_keys: the feature, or one feature an axis, that says the shape; or shape, the shape.
      default_value: fills up a VarLenFeature whose shape has gaps.
    Raises:
      ValueError: both shape_keys and shape are given.
    """

    def __init__(self, tensor_key: str, shape_keys: Any = None, shape: Any = None, default_value: Any = 0) -> None:
        if shape_keys and shape is not None:
            raise ValueError("Cannot specify both shape_keys and shape parameters.")
        axes = list(shape_keys) if isinstance(shape_keys, (list, tuple)) else [shape_keys] if shape_keys else []
        super().__init__([tensor_key, *axes])
        self._tensor_key, self._shape_keys = tensor_key, axes
        self._shape, self._default_value = shape, default_value

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        tensor, shape = keys_to_tensors[self._tensor_key], self._shape
        if self._shape_keys:
            shape = tf.reshape(tf.stack([_dense(keys_to_tensors[key]) for key in self._shape_keys]), [-1])
        if isinstance(tensor, tf.SparseTensor):
            return _dense(tensor if shape is None else tf.sparse_reshape(tensor, shape), self._default_value)
        return tensor if shape is None else tf.reshape(tensor, shape)


@contrib(_SPACE, "LookupTensor")
class LookupTensor(Tensor):
    """A `Tensor`, looked up in a table: as ids of words."""

    def __init__(
        self, tensor_key: str, table: Any, shape_keys: Any = None, shape: Any = None, default_value: Any = ""
    ) -> None:
        super().__init__(tensor_key, shape_keys, shape, default_value)
        self._table = table

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._table.lookup(super().tensors_to_item(keys_to_tensors))


@contrib(_SPACE, "BackupHandler")
class BackupHandler(ItemHandler):
    """A handler's item, or where it is empty another one's.

    Raises:
      ValueError: one of them is no ItemHandler.
    """

    def __init__(self, handler: ItemHandler, backup: ItemHandler) -> None:
        for given in (handler, backup):
            if not isinstance(given, ItemHandler):
                raise ValueError(f"Main handler and backup handler must be ItemHandlers, not {type(given)}")
        super().__init__([*handler.keys, *backup.keys])
        self._handler, self._backup = handler, backup

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        item = self._handler.tensors_to_item(keys_to_tensors)
        empty = tf.equal(tf.reduce_prod(tf.shape(item)), 0)
        return tf.cond(empty, lambda: self._backup.tensors_to_item(keys_to_tensors), lambda: item)


@contrib(_SPACE, "SparseTensor")
class SparseTensor(ItemHandler):
    """A sparse tensor of two VarLenFeatures, where the entries stand along the last axis and what they are.

    Args:
      indices_key, values_key: "indices" and "values" by default.
      shape_key: the feature that says the shape; or shape, the shape; else the indices' own.
      densify: whether it becomes a tensor, with default_value in the gaps.
    """

    def __init__(
        self,
        indices_key: str | None = None,
        values_key: str | None = None,
        shape_key: str | None = None,
        shape: Any = None,
        densify: bool = False,
        default_value: Any = 0,
    ) -> None:
        self._indices_key, self._values_key = indices_key or "indices", values_key or "values"
        super().__init__([self._indices_key, self._values_key, *([shape_key] if shape_key else [])])
        self._shape_key, self._shape = shape_key, shape
        self._densify, self._default_value = densify, default_value

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        where, values = keys_to_tensors[self._indices_key], keys_to_tensors[self._values_key]
        shape = self._shape if self._shape else where.dense_shape
        if self._shape_key:
            shape = _dense(keys_to_tensors[self._shape_key])
        last = tf.reshape(tf.cast(where.values, tf.int64), [-1, 1])
        indices = tf.concat([where.indices[:, :-1], last], 1)
        made = tf.SparseTensor(indices, values.values, tf.cast(shape, tf.int64))
        return tf.sparse_tensor_to_dense(made, self._default_value) if self._densify else made


@contrib(_SPACE, "Image")
class Image(ItemHandler):
    """An image of its file's bytes: JPEG, PNG, GIF, BMP, or format "raw", the pixels themselves.

    Args:
      image_key, format_key: "image/encoded" and "image/format" by default.
      shape: the shape that images get; None leaves [height, width, channels].
      dtype: the pixels' type. repeated: whether the feature holds several images, which are stacked.
      dct_method: how JPEG files are decoded, as `tf.image.decode_jpeg` takes it.
    """

    def __init__(
        self,
        image_key: str | None = None,
        format_key: str | None = None,
        shape: Any = None,
        channels: int = 3,
        dtype: Any = tf.uint8,
        repeated: bool = False,
        dct_method: str = "",
    ) -> None:
        self._image_key, self._format_key = image_key or "image/encoded", format_key or "image/format"
        super().__init__([self._image_key, self._format_key])
        self._shape, self._channels, self._dtype = shape, channels, tf.as_dtype(dtype)
        self._repeated, self._dct_method = repeated, dct_method

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        buffer, kind = _dense(keys_to_tensors[self._image_key]), _dense(keys_to_tensors[self._format_key])
        if self._repeated:
            return tf.map_fn(lambda one: self._decode(one, kind), buffer, dtype=self._dtype)
        return self._decode(buffer, kind)

    def _decode(self, buffer: Any, kind: Any) -> Any:
        def jpeg() -> Any:
            pixels = tf.image.decode_jpeg(buffer, channels=self._channels, dct_method=self._dct_method)
            return tf.cast(pixels, self._dtype)

        def others() -> Any:
            return tf.image.decode_image(buffer, channels=self._channels, dtype=self._dtype)

        def files() -> Any:
            return others() if self._channels > 3 else tf.cond(tf.image.is_jpeg(buffer), jpeg, others)

        def raw() -> Any:
            return tf.decode_raw(buffer, out_type=self._dtype)

        is_raw = tf.logical_or(tf.equal(kind, "raw"), tf.equal(kind, "RAW"))
        image = tf.cond(tf.reshape(is_raw, []), raw, files)
        if self._shape is not None:
            return tf.reshape(image, self._shape)
        image.set_shape([None, None, self._channels])
        return image


@contrib(_SPACE, "TFExampleDecoder")
class TFExampleDecoder(DataDecoder):
    """Decodes serialised Examples: parses the features, and hands each item's to its handler.

    Args:
      keys_to_features: {key: FixedLenFeature or VarLenFeature}. items_to_handlers: {item: ItemHandler}.
    """

    def __init__(self, keys_to_features: dict[str, Any], items_to_handlers: dict[str, ItemHandler]) -> None:
        self._keys_to_features, self._items_to_handlers = keys_to_features, items_to_handlers

    def list_items(self) -> list[str]:
        return list(self._items_to_handlers)

    def decode(self, serialized_example: Any, items: Iterable[str] | None = None) -> list[Any]:
        """The tensors of items, by default of all, of an Example. [] string"""
        found = tf.parse_single_example(serialized_example, self._keys_to_features)
        handlers = [self._items_to_handlers[item] for item in items or self.list_items()]
        return [handler.tensors_to_item({key: found[key] for key in handler.keys}) for handler in handlers]
