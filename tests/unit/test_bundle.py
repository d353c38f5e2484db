"""Tensor bundles: checksums, tables, what is refused, and that nothing is ever there by halves."""

from __future__ import annotations

import itertools
import os
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from pullback.core.errors import ArgumentError, DataLossError, DTypeError, NotFoundError
from pullback.io import atomic, bundle, checkpoints, messages, slices
from pullback.io.bundle import BundleReader, write_bundle
from pullback.io.crc32c import crc32c, masked, unmasked
from pullback.io.snappy import decompressed
from pullback.io.table import read_table, table_bytes
from pullback.io.tensors import shape_proto, tensor_proto
from pullback.io.varint import read_varint, varint


class TestChecksums:
    @pytest.mark.parametrize(
        ("data", "crc"),
        [
            (b"", 0),
            (b"123456789", 0xE3069283),
            (bytes(32), 0x8A9136AA),
            (b"\xff" * 32, 0x62A8AB43),
            (bytes(range(32)), 0x46DD794E),
            (bytes(reversed(range(32))), 0x113FDB5C),
        ],
    )
    def test_published_values(self, data: bytes, crc: int):
        assert crc32c(data) == crc  # RFC 3720, appendix B.4

    @pytest.mark.parametrize("size", [255, 256, 1024, 5000, 70_001, 300_001])
    def test_long_data_is_bit_by_bit(self, size: int):
        data = np.random.default_rng(size).bytes(size)
        assert crc32c(data) == bit_by_bit(data[: size // 2], data[size // 2 :])
        assert crc32c(data[size // 3 :], crc32c(data[: size // 3])) == crc32c(data)

    def test_mask(self):
        assert masked(0) == 0xA282EAD8 and unmasked(masked(0x12345678)) == 0x12345678


def bit_by_bit(*pieces: bytes) -> int:
    """The definition: a register shifted bit by bit."""
    table = [n for n in range(256)]
    for _ in range(8):
        table = [(n >> 1) ^ (0x82F63B78 if n & 1 else 0) for n in table]
    register = 0xFFFFFFFF
    for byte in itertools.chain(*pieces):
        register = table[(register ^ byte) & 255] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


class TestTables:
    def test_many_blocks(self):
        rows = [(f"key{i:06d}".encode(), os.urandom(40)) for i in range(10_000)]
        data = table_bytes(rows)
        assert len(data) > 400_000
        assert read_table(data, "here") == dict(rows)

    def test_empty(self):
        assert read_table(table_bytes([]), "here") == {}

    def test_every_changed_byte_is_found(self):
        rows = {b"a": b"1", b"ab": b"2", b"b": b"333"}
        data = bytearray(table_bytes(rows.items()))
        found = 0
        for i in range(len(data)):
            data[i] ^= 0x41
            try:
                assert read_table(bytes(data), "here") == rows, i
            except DataLossError:
                found += 1
            data[i] ^= 0x41
        assert found > len(data) // 2  # the others are the footer's filling and an empty block

    def test_every_shorter_table_is_refused(self):
        data = table_bytes([(b"a", b"1"), (b"ab", b"2")])
        for size in range(len(data)):
            with pytest.raises(DataLossError, match="cannot be read"):
                read_table(data[:size], "here")

    def test_numbers(self):
        for n in (0, 127, 128, 300, 2**32, 2**64 - 1):
            assert read_varint(b"x" + varint(n), 1) == (n, 1 + len(varint(n)))
        for wrong in (b"", b"\x80", b"\xff" * 11):
            with pytest.raises(ValueError, match="number"):
                read_varint(wrong, 0)


class TestSnappy:
    def test_literals_and_copies(self):
        assert decompressed(b"\x05\x10hello") == b"hello"
        assert decompressed(b"\x0a\x04ab" + bytes([(8 - 4) << 2 | 1, 2])) == b"ababababab"  # overlapping copy
        assert decompressed(b"\x08\x0cabcd" + bytes([(4 - 1) << 2 | 2, 4, 0])) == b"abcdabcd"
        long = bytes(range(100))
        assert decompressed(varint(100) + bytes([60 << 2, 99]) + long) == long

    @pytest.mark.parametrize("wrong", [b"\x05\x10hel", b"\x05\x08abc", b"\x06\x04ab\x01\x09", b"\xff\xff\x03\x00a"])
    def test_damage(self, wrong: bytes):
        with pytest.raises(ValueError, match=r"cut short|promised|before the start|cannot stand"):
            decompressed(wrong)


def strings(*values: bytes) -> np.ndarray[Any, Any]:
    out = np.empty(len(values), object)
    out[:] = values
    return out


VALUES = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "float64": np.array(0.1),
    "half": np.ones(3, np.float16),
    "bfloat16": np.full((2, 1), 1.5, ml_dtypes.bfloat16),
    "bool": np.array([True, False]),
    "int8": np.array([-1], np.int8),
    "uint64": np.array([2**64 - 1], np.uint64),
    "complex": np.array([1 + 2j]),
    "string": strings(b"a", b"", b"x" * 1000),
    "one string": strings(b"hi").reshape(()),
    "empty": np.zeros((0, 4), np.int32),
    "scope/name_1": np.int64(7),
    "big endian": np.array([1, 2], ">i4"),
}


class TestBundles:
    def test_every_type_returns(self, tmp_path: Path):
        prefix = str(tmp_path / "model")
        write_bundle(prefix, VALUES)
        found = BundleReader(prefix)
        assert found.names() == sorted(VALUES)
        for name, value in VALUES.items():
            again = found.tensor(name)
            assert again.shape == np.shape(value) == found.shape(name)
            assert again.dtype == np.asarray(value).dtype.newbyteorder("=") == found.dtype(name).numpy
            assert np.array_equal(again, np.asarray(value))
        assert sorted(os.listdir(tmp_path)) == ["model.data-00000-of-00001", "model.index"]

    def test_every_changed_byte_of_the_data_is_found(self, tmp_path: Path):
        prefix = str(tmp_path / "model")
        values = {"a": np.arange(4, dtype=np.int16), "s": strings(b"xy", b"z")}
        write_bundle(prefix, values)
        path = Path(bundle.data_path(prefix))
        data = path.read_bytes()
        for i in range(len(data)):
            path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
            found = BundleReader(prefix)
            damaged = [name for name in values if not readable(found, name)]
            assert damaged == (["a"] if i < 8 else ["s"])

    def test_every_changed_byte_of_the_index_is_found(self, tmp_path: Path):
        prefix = str(tmp_path / "model")
        write_bundle(prefix, {"a": np.arange(4)})
        path = Path(bundle.index_path(prefix))
        data = path.read_bytes()
        for i in range(len(data)):
            path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
            try:
                value = BundleReader(prefix).tensor("a")
            except DataLossError:
                continue
            assert np.array_equal(value, np.arange(4)), i  # the footer's filling, and the place of what is empty

    def test_cut_short_or_lost(self, tmp_path: Path):
        prefix = str(tmp_path / "model")
        write_bundle(prefix, {"a": np.arange(4)})
        path = Path(bundle.data_path(prefix))
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(DataLossError, match=r"cut short: it has 31 bytes, but the tensor lies at 0 to 32"):
            BundleReader(prefix).tensor("a")
        path.unlink()
        with pytest.raises(DataLossError, match="which holds it, is not there"):
            BundleReader(prefix).tensor("a")
        os.unlink(bundle.index_path(prefix))
        with pytest.raises(NotFoundError, match=r"without \.index"):
            BundleReader(prefix)

    def test_names(self, tmp_path: Path):
        prefix = str(tmp_path / "model")
        write_bundle(prefix, {"weights": np.ones(1)})
        with pytest.raises(NotFoundError, match=r"Key weight not found .*'weights'"):
            BundleReader(prefix).tensor("weight")
        for name in ("", "\0x"):
            with pytest.raises(ArgumentError, match="cannot hold"):
                bundle.check_name(name)

    def test_values_that_are_no_arrays(self, tmp_path: Path):
        with pytest.raises(DTypeError, match="no array"):
            write_bundle(str(tmp_path / "m"), {"a": (1, object())})
        assert os.listdir(tmp_path) == []

    def test_slices_are_put_together(self, tmp_path: Path):
        prefix = str(tmp_path / "parts")
        whole = np.arange(35, dtype=np.float32).reshape(7, 5)
        parts = [(0, 3), (3, 2), (5, 2)]
        rows = sliced_rows("w", whole, parts)
        Path(bundle.data_path(prefix)).write_bytes(whole.tobytes())
        Path(bundle.index_path(prefix)).write_bytes(table_bytes(rows))
        found = BundleReader(prefix)
        assert found.names() == ["w"] and np.array_equal(found.tensor("w"), whole)

    @pytest.mark.parametrize(
        ("parts", "words"), [([(0, 3), (3, 2)], "25 of 35 elements"), ([(0, 3), (3, 9)], "does not lie in a tensor")]
    )
    def test_slices_that_do_not_make_the_tensor(self, tmp_path: Path, parts: Any, words: str):
        prefix = str(tmp_path / "parts")
        whole = np.arange(35, dtype=np.float32).reshape(7, 5)
        Path(bundle.data_path(prefix)).write_bytes(whole.tobytes())
        Path(bundle.index_path(prefix)).write_bytes(table_bytes(sliced_rows("w", whole, parts)))
        with pytest.raises(DataLossError, match=words):
            BundleReader(prefix).tensor("w")

    @pytest.mark.parametrize("shape", [(2**32, 2**32), (0, 2**63 - 1, 2**63 - 1)])
    def test_shapes_that_no_array_has(self, tmp_path: Path, shape: tuple[int, ...]):
        prefix = str(tmp_path / "m")
        write_bundle(prefix, {"a": np.zeros((0,), np.float32)})
        rows = read_table(Path(bundle.index_path(prefix)).read_bytes(), "index")
        entry = messages.parsed(messages.BundleEntryProto(), rows[b"a"], "entry")
        entry.shape.CopyFrom(shape_proto(shape))
        Path(bundle.index_path(prefix)).write_bytes(table_bytes([(b"", rows[b""]), (b"a", entry.SerializeToString())]))
        with pytest.raises(DataLossError, match="shape"):
            BundleReader(prefix).tensor("a")

    def test_keys_of_slices_sort_as_their_places(self):
        keys = [slices.key("w", extent(start, 3)) for start in (-1, 0, 1, 63, 64, 8191, 8192, 2**40)]
        assert keys == sorted(keys)


def readable(found: BundleReader, name: str) -> bool:
    try:
        found.tensor(name)
    except DataLossError:
        return False
    return True


def extent(start: int, length: int) -> Any:
    made = messages.TensorSliceProto()
    made.extent.add(start=start, length=length)
    made.extent.add()
    return made


def sliced_rows(name: str, whole: np.ndarray[Any, Any], parts: list[tuple[int, int]]) -> list[tuple[bytes, bytes]]:
    """An index as TensorFlow writes of a variable in parts: one entry that lists them, and one for each."""
    head = messages.BundleHeaderProto(num_shards=1)
    head.version.producer = 1
    listed = messages.BundleEntryProto(dtype=1, shape=shape_proto(whole.shape))
    rows = []
    for start, length in parts:
        part = extent(start, length)
        listed.slices.append(part)
        data = whole[start : start + length].tobytes()
        entry = messages.BundleEntryProto(
            dtype=1,
            shape=shape_proto((length, whole.shape[1])),
            offset=start * whole.shape[1] * 4,
            size=len(data),
            crc32c=masked(crc32c(data)),
        )
        rows.append((slices.key(name, part), entry.SerializeToString()))
    return [(b"", head.SerializeToString()), *sorted(rows), (name.encode(), listed.SerializeToString())]


class TestReplacing:
    def test_a_writer_that_dies_leaves_the_old_or_the_new(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """The same prefix again, cut off before each change of a name."""
        prefix = str(tmp_path / "model")
        for stop in itertools.count():
            write_bundle(prefix, {"a": np.zeros(9), "b": np.zeros(5)})
            died = dies_at(monkeypatch, stop, prefix)
            found = BundleReader(prefix)
            assert {*found.tensor("a"), *found.tensor("b")} in ({0.0}, {1.0})
            if not died:
                break
        assert stop > 5 and set(found.tensor("a")) == {1.0}
        left = [name for name in os.listdir(tmp_path) if not name.endswith(".partial")]  # of those that died
        assert sorted(left) == ["model.data-00000-of-00001", "model.index"]

    def test_a_new_bundle_appears_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        prefix = str(tmp_path / "model")
        for stop in itertools.count():
            died = dies_at(monkeypatch, stop, prefix)
            if not died:
                break
            assert not bundle.exists(prefix) or set(BundleReader(prefix).tensor("a")) == {1.0}
            bundle.remove(prefix)
        assert stop >= 2

    def test_remains_of_the_dead_are_swept(self, tmp_path: Path):
        old, young = tmp_path / "model.index.abc.partial", tmp_path / "model.index.def.partial"
        for path in (old, young):
            path.write_bytes(b"x")
        os.utime(old, (1, 1))
        atomic.sweep(str(tmp_path / "model"))
        assert not old.exists() and young.exists()


class Died(BaseException):
    """In the place of a kill."""


def dies_at(monkeypatch: pytest.MonkeyPatch, stop: int, prefix: str) -> bool:
    """Writes ones, cut off before the `stop`-th change of a name; whether it was."""
    count = itertools.count()
    real = {name: getattr(os, name) for name in ("replace", "link", "unlink")}

    def cut(name: str) -> Any:
        def call(*args: Any) -> Any:
            if next(count) == stop:
                raise Died
            return real[name](*args)

        return call

    with monkeypatch.context() as patched:
        for name in real:
            patched.setattr(os, name, cut(name))
        try:
            write_bundle(prefix, {"a": np.ones(9), "b": np.ones(5)})
        except Died:
            return True
    return False


class TestFormerFormat:
    def test_tables_of_slices(self, tmp_path: Path):
        path = str(tmp_path / "old.ckpt")
        whole = np.arange(10, dtype=np.float32).reshape(5, 2)
        head, rows = messages.SavedTensorSlices(), []
        meta = head.meta.tensor.add(name="w", type=1, shape=shape_proto((5, 2)))
        for start, length in ((0, 2), (2, 3)):
            part = extent(start, length)
            meta.slice.append(part)
            row = messages.SavedTensorSlices()
            row.data.name = "w"
            row.data.data.float_val.extend(whole[start : start + length].ravel().tolist())
            rows.append((slices.key("w", part), row.SerializeToString()))
        Path(path).write_bytes(table_bytes([(b"", head.SerializeToString()), *sorted(rows)]))
        found = checkpoints.opened(path)
        assert checkpoints.exists(path) and found.names() == ["w"] and found.shape("w") == (5, 2)
        assert np.array_equal(found.tensor("w"), whole)
        with pytest.raises(NotFoundError, match="'v'"):
            found.tensor("v")


class TestTensorMessages:
    def test_numbers_in_fields(self):
        from pullback.io.tensors import array_of_proto

        message = messages.TensorProto(dtype=1, tensor_shape=shape_proto((2, 2)), float_val=[1.0, 2.0])
        assert array_of_proto(message).tolist() == [[1, 2], [2, 2]]  # the last one stands for the rest
        half = messages.TensorProto(dtype=19, tensor_shape=shape_proto((2,)), half_val=[0x3C00, 0x4000])
        assert array_of_proto(half).tolist() == [1, 2]
        pair = messages.TensorProto(dtype=8, tensor_shape=shape_proto(()), scomplex_val=[1.0, -2.0])
        assert array_of_proto(pair) == 1 - 2j
        for wrong in (
            messages.TensorProto(dtype=1, tensor_shape=shape_proto((2,)), tensor_content=b"123"),
            messages.TensorProto(dtype=1, tensor_shape=shape_proto((1,)), float_val=[1.0, 2.0]),
            messages.TensorProto(dtype=1, tensor_shape=shape_proto((None,))),
        ):
            with pytest.raises(ArgumentError):
                array_of_proto(wrong)
        with pytest.raises(DTypeError, match="DT_QINT8"):
            array_of_proto(messages.TensorProto(dtype=11, tensor_shape=shape_proto(())))

    def test_public_functions(self):
        import pullback as tf

        made = tf.make_tensor_proto([[1, 2], [3, 4]])
        assert tf.make_ndarray(made).tolist() == [[1, 2], [3, 4]] and made == tensor_proto(
            np.array([[1, 2], [3, 4]], np.int32)
        )
        assert tf.make_ndarray(tf.make_tensor_proto(5.0, shape=[3])).tolist() == [5, 5, 5]
        assert tf.make_ndarray(tf.make_tensor_proto(["a"])).tolist() == [b"a"]
        with pytest.raises(TypeError, match="Expected"):
            tf.make_tensor_proto([1], shape=[2], verify_shape=True)
        with pytest.raises(ValueError, match="do not fit"):
            tf.make_tensor_proto([1, 2, 3], shape=[2])


def test_numbers_are_little_endian(tmp_path: Path):
    prefix = str(tmp_path / "m")
    write_bundle(prefix, {"a": np.array([1, 258], np.uint16)})
    assert Path(bundle.data_path(prefix)).read_bytes() == struct.pack("<2H", 1, 258)
