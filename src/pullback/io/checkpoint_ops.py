"""The ops by which a graph saves and restores its variables. They read and write files when they run.

SaveV2(prefix, names, slices, *tensors)        RestoreV2(prefix, names, slices) -> tensors
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.io import bundle, checkpoints, slices


@op
class SaveV2(Op):
    """Writes tensors under their names to a checkpoint: whole ones, and slices, said as `RestoreV2` wants them."""

    signature = "prefix: string, tensor_names: string, shape_and_slices: string, *tensors: any ->"
    untestable = "writes files; tests/unit/test_saver.py runs it"
    effect = True
    any_rank = True
    dtypes: tuple[DType, ...]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, prefix: Any, names: Any, parts: Any, *tensors: Any) -> Any:
        listed = _words(names)
        if len(listed) != len(tensors):
            raise ArgumentError(f"SaveV2: {len(tensors)} tensors are given {len(listed)} names")
        pairs = list(zip(map(bundle.check_name, listed), _words(parts), tensors, strict=True))
        sliced: dict[str, list[tuple[str, Any]]] = {}
        for name, part, tensor in pairs:
            if part:
                sliced.setdefault(name, []).append((part, tensor))
        whole = {name: tensor for name, part, tensor in pairs if not part}
        bundle.write_bundle(_word(prefix), {**whole, **{n: slices.Parts(found) for n, found in sliced.items()}})
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * len(node.inputs)


@op
class RestoreV2(Op):
    """Reads tensors by their names from a checkpoint; of a slice, that part of the tensor."""

    signature = "prefix: string, tensor_names: string, shape_and_slices: string -> *tensors: any"
    untestable = "reads files; tests/unit/test_saver.py runs it"
    effect = True
    any_rank = True
    dtypes: tuple[DType, ...]

    def infer(self, prefix: Spec, names: Spec, parts: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(None, t) for t in self.dtypes)

    def reference(self, prefix: Any, names: Any, parts: Any) -> Any:
        found = checkpoints.opened(_word(prefix))
        rows = zip(_words(names), _words(parts), self.dtypes, strict=True)
        return tuple(_restored(found, name, part, dtype) for name, part, dtype in rows)

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None, None


@op
class ShardedFilename(Op):
    """The name of a part of a file: "base-00001-of-00004"."""

    signature = "basename: string, shard: int32, num_shards: int32 -> filename: string"
    untestable = "strings; tests/unit/test_saver.py runs it"

    def infer(self, basename: Spec, shard: Spec, count: Spec) -> Spec:
        return Spec((), dtypes.string)

    def reference(self, basename: Any, shard: Any, count: Any) -> Any:
        return _string(f"{_word(basename)}-{int(shard):05d}-of-{int(count):05d}")

    def grad(self, node: Any, dy: Any) -> Any:
        return None, None, None


@op
class StaticRegexFullMatch(Op):
    """Whether strings match a regular expression as a whole; savers ask it of paths."""

    signature = "input: string -> output: bool"
    pattern: str = ""

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, dtypes.bool_)

    def reference(self, x: Any) -> Any:
        found = [re.fullmatch(self.pattern, word, re.DOTALL) is not None for word in _words(x)]
        return np.array(found, bool).reshape(np.shape(x))

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("s3://.*"), (np.array([b"s3://here", b"/s3://"], object),), wrt=())


@op
class MergeV2Checkpoints(Op):
    """Makes one checkpoint of several, which are gone afterwards."""

    signature = "checkpoint_prefixes: string, destination_prefix: string ->"
    untestable = "moves files; tests/unit/test_saver.py runs it"
    effect = True
    delete_old_dirs: bool = True
    allow_missing_files: bool = False

    def infer(self, prefixes: Spec, destination: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, prefixes: Any, destination: Any) -> Any:
        tensors: dict[str, Any] = {}
        for prefix in (listed := _words(prefixes)):
            if self.allow_missing_files and not bundle.exists(prefix):
                continue
            found = bundle.BundleReader(prefix)
            tensors.update((name, found.tensor(name)) for name in found.names())
        bundle.write_bundle(_word(destination), tensors)
        for prefix in listed:
            bundle.remove(prefix, with_folder=self.delete_old_dirs)
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None


def _restored(found: checkpoints.Checkpoint, name: str, part: str, dtype: DType) -> np.ndarray[Any, Any]:
    """A tensor, or the part of it that words like "7 5 0,3:-" say: the whole shape, and start,length of each axis.

    Raises:
      InvalidArgumentError: the tensor has another type, or the words do not fit its shape.
    """
    array = found.tensor(name)
    have = found.dtype(name)
    if have is not dtype:
        raise InvalidArgumentError(
            f"RestoreV2: tensor {name!r} is {have.name} in the checkpoint, but {dtype.name} is expected"
        )
    if not part:
        return array
    *sizes, places = part.split(" ")
    axes = places.split(":")
    if [int(n) for n in sizes] != list(array.shape) or len(axes) != array.ndim:
        raise InvalidArgumentError(f"RestoreV2: slice {part!r} is not of tensor {name!r} of shape {array.shape}")
    taken = []
    for axis in axes:
        start, _, length = axis.partition(",")
        taken.append(slice(None) if axis == "-" else slice(int(start), int(start) + int(length)))
    return array[tuple(taken)].copy()


def _word(value: Any) -> str:
    flat = value if isinstance(value, bytes) else np.asarray(value, object).reshape(-1)[0]
    return flat.decode()


def _words(values: Any) -> list[str]:
    return [word.decode() for word in np.asarray(values, object).reshape(-1).tolist()]


def _string(word: str) -> np.ndarray[Any, Any]:
    out = np.empty((), object)
    out[()] = word.encode()
    return out
