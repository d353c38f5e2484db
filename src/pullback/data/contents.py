"""Files and bytes in graphs: reading and writing whole files, bytes as numbers."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType, as_dtype
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.data.files import word
from pullback.data.ordering import matching
from pullback.io import atomic, messages
from pullback.io.records import TFRecordOptions, opened
from pullback.io.tensors import array_of_proto, tensor_proto
from pullback.ops.array.shape import drawn, one_of

_WHY = "touches files; tests/unit/test_parsing.py runs it"


@op
class ReadFile(Op):
    """The contents of a file. filename [] -> contents []"""

    signature = "filename: string -> contents: string"
    effect = True
    untestable = _WHY

    def infer(self, filename: Spec) -> Spec:
        return Spec((), dtypes.string)

    def reference(self, filename: Any) -> Any:
        with opened(np.asarray(filename).item()) as file:
            return word(file.read())

    def grad(self, node: Any, dy: Any) -> Any:
        return None


@op
class WriteFile(Op):
    """Writes a file, whole or not at all; makes the folders above it."""

    signature = "filename: string, contents: string ->"
    effect = True
    untestable = _WHY

    def infer(self, filename: Spec, contents: Spec) -> tuple[Spec, ...]:
        return ()

    def reference(self, filename: Any, contents: Any) -> Any:
        path = os.path.abspath(os.fsdecode(np.asarray(filename).item()))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        atomic.write(path, np.asarray(contents).item())
        return ()

    def grad(self, node: Any, *dys: Any) -> Any:
        return None, None


@op
class MatchingFiles(Op):
    """The names of the files that match a pattern or several, sorted."""

    signature = "pattern: string -> filenames: string"
    effect = True
    untestable = _WHY

    def infer(self, pattern: Spec) -> Spec:
        return Spec((None,), dtypes.string)

    def reference(self, pattern: Any) -> Any:
        found = sorted({os.fsencode(n) for p in np.ravel(pattern).tolist() for n in matching(os.fsdecode(p))})
        return np.array([*found, None], object)[:-1]

    def grad(self, node: Any, dy: Any) -> Any:
        return None


@op
class DecodeRaw(Op):
    """Bytes as numbers. bytes [..] -> [.., how many]; all have one length"""

    signature = "bytes: string -> output: out_type"
    out_type: DType
    little_endian: bool = True
    fixed_length: int = 0  # of each, padded or cut; 0: as they are

    def infer(self, data: Spec) -> Spec:
        assert data.shape is not None
        count = self.fixed_length // self.out_type.size if self.fixed_length else None
        return Spec((*data.shape, count), self.out_type)

    def reference(self, data: Any) -> Any:
        pieces = np.ravel(data).tolist()
        if self.fixed_length:
            pieces = [p[: self.fixed_length].ljust(self.fixed_length, b"\0") for p in pieces]
        sizes = sorted({len(p) for p in pieces}) or [0]
        if len(sizes) > 1:
            raise InvalidArgumentError(f"DecodeRaw requires input strings to all be the same size, not {sizes}")
        each = self.out_type.size
        if sizes[0] % each:
            raise InvalidArgumentError(
                f"Input to DecodeRaw has length {sizes[0]} that is not a multiple of {each}, the size of "
                f"{self.out_type.name}"
            )
        order = self.out_type.numpy.newbyteorder("<" if self.little_endian else ">")
        flat = np.frombuffer(b"".join(pieces), order).astype(self.out_type.numpy)
        return flat.reshape(*np.shape(data), sizes[0] // each)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        data = np.array([b"\1\0\2\0", b"\3\0\4\0"], object)
        yield Sample(cls(dtypes.uint8), (data,), ())
        yield Sample(cls(dtypes.int16, False), (data,), (), name="big")
        yield Sample(cls(dtypes.int16, True, 6), (data,), (), name="padded")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls(dtypes.int32)(np.array(b"abc", object)), InvalidArgumentError, "not a multiple of 4"
        yield lambda: cls(dtypes.uint8)(np.array([b"a", b"bc"], object)), InvalidArgumentError, "all be the same size"


@op
class DecodeCompressed(Op):
    """Bytes decompressed. bytes [..] -> [..]"""

    signature = "bytes: string -> output: string"
    compression_type: str = ""

    def check(self) -> None:
        TFRecordOptions.get_compression_type_string(self.compression_type)

    def infer(self, data: Spec) -> Spec:
        return data.with_shape(data.shape)

    def reference(self, data: Any) -> Any:
        if not self.compression_type:
            return data
        out = np.empty(np.shape(data), object)
        bits = zlib.MAX_WBITS | (16 if self.compression_type == "GZIP" else 0)
        for at, piece in np.ndenumerate(data):
            try:
                out[at] = zlib.decompress(piece, bits)
            except zlib.error as error:
                raise InvalidArgumentError(f"DecodeCompressed: {error}") from None
        return out

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls("ZLIB"), (np.array([zlib.compress(b"words")], object),), ())
        yield Sample(cls(), (np.array([b"words"], object),), ())


@public("io.read_file", v1=("io.read_file", "read_file"))
def read_file(filename: Any, name: str | None = None) -> Tensor:
    """The contents of a file, [] string. NotFoundError, when it runs, where there is none."""
    return ReadFile()(filename, name=name)


@public("io.write_file", v1=("io.write_file", "write_file"))
def write_file(filename: Any, contents: Any, name: str | None = None) -> Any:
    """Writes contents, [] string, to a file, making the folders above it."""
    node = WriteFile()(filename, contents, name=name)
    return node if hasattr(node, "graph") else None


@public("io.matching_files", v1=("io.matching_files", "matching_files"))
def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of the files that match a pattern or several, sorted. [n] string"""
    return MatchingFiles()(pattern, name=name)


@public("io.match_filenames_once", v1=("io.match_filenames_once", "train.match_filenames_once"))
def match_filenames_once(pattern: Any, name: str | None = None) -> Any:
    """A local variable that holds the names of the files that match a pattern."""
    from pullback.modes.default import GraphKeys
    from pullback.modes.variable import VariableV1

    return VariableV1(
        matching_files(pattern),
        trainable=False,
        validate_shape=False,
        name=name or "matching_filenames",
        collections=[GraphKeys.LOCAL_VARIABLES],
    )


def _raw(data: Any, out_type: Any, little_endian: bool, fixed_length: Any, name: str | None) -> Tensor:
    dtype = as_dtype(out_type)
    if not dtype.is_numpy_compatible or dtype is dtypes.string:
        raise ArgumentError(f"decode_raw: out_type must be a type of numbers, not {dtype.name}").locate()
    length = 0 if fixed_length is None else int(fixed_length)
    if length % dtype.size or length < 0:
        raise ArgumentError(f"decode_raw: fixed_length {length} is no multiple of {dtype.size}").locate()
    return DecodeRaw(dtype, little_endian, length)(data, name=name)


@public("io.decode_raw", v1=None)
def decode_raw(
    input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None, name: str | None = None
) -> Tensor:
    """Bytes as numbers.

    Args:
      input_bytes: [..] string; all have one length, or are padded with zeros or cut to fixed_length bytes.
    Returns:
      [.., how many], of out_type.
    Raises:
      InvalidArgumentError: lengths differ, or are no multiple of the type's size.
    """
    return _raw(input_bytes, out_type, little_endian, fixed_length, name)


@public(v1=("decode_raw", "io.decode_raw"))
def decode_raw_v1(
    input_bytes: Any = None,
    out_type: Any = None,
    little_endian: bool = True,
    name: str | None = None,
    bytes: Any = None,
) -> Tensor:
    """As `decode_raw`; bytes is the former name of input_bytes."""
    data = one_of("input_bytes", input_bytes, "bytes", bytes, required=True)
    if out_type is None:
        raise ValueError("decode_raw_v1() missing 1 positional argument: 'out_type'")
    return _raw(data, out_type, little_endian, None, name)


@public("io.decode_compressed", v1=("io.decode_compressed", "decode_compressed"))
def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Tensor:
    """Bytes decompressed, [..] string. compression_type: "", "ZLIB" or "GZIP"."""
    return DecodeCompressed(compression_type)(bytes, name=name)


@op
class SerializeTensor(Op):
    """A tensor as a serialised TensorProto. -> []"""

    signature = "tensor: T -> serialized: string"
    T = dtypes.ANY
    any_rank = True

    def infer(self, tensor: Spec) -> Spec:
        return Spec((), dtypes.string)

    def reference(self, tensor: Any) -> Any:
        return word(tensor_proto(np.asarray(tensor)).SerializeToString(deterministic=True))

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for t in cls.T:
            yield Sample(cls(), (drawn(rng, (2, 3), t),), (), name=t.name)


@op
class ParseTensor(Op):
    """The tensor that a serialised TensorProto holds. serialized [] -> [..]"""

    signature = "serialized: string -> output: out_type"
    out_type: DType

    def infer(self, serialized: Spec) -> Spec:
        return Spec(None, self.out_type)

    def reference(self, serialized: Any) -> Any:
        message = messages.parsed(messages.TensorProto(), np.asarray(serialized).item(), "parse_tensor: serialized")
        array = array_of_proto(message, "parse_tensor")
        if dtypes.from_numpy(array.dtype) is not self.out_type:
            have = dtypes.from_numpy(array.dtype).name
            raise InvalidArgumentError(f"Type mismatch between parsed tensor ({have}) and dtype ({self.out_type.name})")
        return array

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        data = tensor_proto(np.arange(6.0).reshape(2, 3)).SerializeToString(deterministic=True)
        yield Sample(cls(dtypes.float64), (np.array(data, object),), ())


@public("io.serialize_tensor")
def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """A tensor as a serialised TensorProto, [] string."""
    return SerializeTensor()(tensor, name=name)


@public("io.parse_tensor", v1=("io.parse_tensor", "parse_tensor"))
def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor that a serialised TensorProto, [] string, holds. Its shape is not known beforehand.

    Raises, when it runs:
      InvalidArgumentError: it is of another type than out_type. DataLossError: it is no TensorProto.
    """
    return ParseTensor(as_dtype(out_type))(serialized, name=name)
