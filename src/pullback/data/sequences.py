"""Parsing tf.train.SequenceExample messages: features of the whole, and lists of features, a step each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import Shape, as_shape
from pullback.core.spec import Spec
from pullback.data.features import FixedLenSequenceFeature, VarLenFeature
from pullback.data.parsing import _parsed, values_of
from pullback.io import messages
from pullback.ops.array.shape import Reshape
from pullback.ops.math.scopes import scope
from pullback.ops.sparse import made


@op
class ParseSequenceExampleV2(Op):
    """Feature lists of one serialised SequenceExample, and its context as an Example.

    serialized [] -> context [], then for each key [steps, shape], or sparse: indices, values, shape
    """

    signature = "serialized: string -> *features: any"
    keys: tuple[str, ...]
    types: tuple[DType, ...]
    shapes: tuple[Shape, ...]  # None: sparse
    missing: tuple[bool, ...]  # whether a list need not be there

    any_rank = True

    def infer(self, serialized: Spec) -> tuple[Spec, ...]:
        out = [Spec((), dtypes.string)]
        for dtype, each in zip(self.types, self.shapes, strict=True):
            if each is None:
                out += [Spec((None, 2), dtypes.int64), Spec((None,), dtype), Spec((2,), dtypes.int64)]
            else:
                out.append(Spec((None, *each), dtype))
        return tuple(out)

    def visible(self, results: int) -> int:
        return results

    def reference(self, serialized: Any) -> Any:
        from google.protobuf.message import DecodeError

        try:
            example = messages.SequenceExample.FromString(np.asarray(serialized).item())
        except DecodeError:
            raise InvalidArgumentError("Could not parse the input as a SequenceExample") from None
        context = messages.Example(features=example.context)
        out: list[Any] = [np.array(context.SerializeToString(deterministic=True), object)]
        for i, key in enumerate(self.keys):
            lists = example.feature_lists.feature_list
            if key not in lists and not self.missing[i] and self.shapes[i] is not None:
                raise InvalidArgumentError(f"feature list {key!r} is required but could not be found")
            out += self._list(list(lists[key].feature) if key in lists else [], i)
        return tuple(out)

    def _list(self, steps: list[Any], i: int) -> list[Any]:
        dtype, each = self.types[i], self.shapes[i]
        found = [values_of(step, dtype, self.keys[i]) for step in steps]
        values = [np.zeros(0, dtype.numpy) if v is None else v for v in found]
        if each is None:
            places = [(t, k) for t, v in enumerate(values) for k in range(len(v))]
            flat = np.concatenate(values) if values else np.zeros(0, dtype.numpy)
            size = np.array([len(values), max(map(len, values), default=0)], np.int64)
            return [np.array(places, np.int64).reshape(-1, 2), flat, size]
        sizes: Any = each
        wanted = math.prod(sizes)
        for t, v in enumerate(values):
            if v.size != wanted:
                raise InvalidArgumentError(
                    f"feature list {self.keys[i]!r}, step {t}: {v.size} values where shape {each} needs {wanted}"
                )
        return [np.array(values, dtype.numpy).reshape(len(values), *sizes)]

    def grad(self, node: Any, *dys: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        example = messages.SequenceExample()
        for n in range(1, int(rng.integers(2, 5))):
            example.feature_lists.feature_list["x"].feature.add().int64_list.value.append(n)
        data = np.array(example.SerializeToString(deterministic=True), object)
        yield Sample(cls(("x", "x"), (dtypes.int64,) * 2, ((), None), (False, False)), (data,), ())


@public("io.parse_single_sequence_example", v1=("io.parse_single_sequence_example", "parse_single_sequence_example"))
def parse_single_sequence_example(
    serialized: Any,
    context_features: Any = None,
    sequence_features: Any = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parses one serialised SequenceExample.

    Args:
      serialized: [] string. context_features: as `parse_example`'s features.
      sequence_features: {key: FixedLenSequenceFeature or VarLenFeature}.
      example_name: has no meaning but in messages of TensorFlow's; accepted.
    Returns:
      ({key: of the context}, {key: [steps, shape] or SparseTensor [steps, longest]}).
    Raises:
      ValueError: neither context_features nor sequence_features are given, or they are not described well.
      InvalidArgumentError, when it runs: a feature is missing, or has another type or number of values.
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features: give context_features or sequence_features")
    rows = []
    for key in sorted(sequence_features or {}):
        feature = sequence_features[key]
        if not isinstance(feature, (FixedLenSequenceFeature, VarLenFeature)):
            raise ValueError(f"Unsupported sequence feature {key}: {feature}")
        dense = isinstance(feature, FixedLenSequenceFeature)
        each = as_shape(feature.shape) if dense else None
        rows.append((key, as_dtype(feature.dtype), each, dense and feature.allow_missing))
    with scope(name, "ParseSingleSequenceExample", serialized):
        word = interpreter.as_tensor(serialized, dtypes.string)
        if word.spec.shape != ():
            word = Reshape()(word, ())
        columns = [tuple(c) for c in zip(*rows, strict=True)] or [(), (), (), ()]
        results = ParseSequenceExampleV2(*columns)(word)
        flat = list(results) if isinstance(results, tuple) else [results]
        context = _parsed(flat.pop(0), context_features, None, "context") if context_features else {}
        lists = {}
        for key, _, each, _ in rows:
            lists[key] = made(*[flat.pop(0) for _ in range(3)]) if each is None else flat.pop(0)
    return context, lists
