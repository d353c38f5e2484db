"""The object cache: who may write to it, what it believes, how large it grows."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from machine_code import SOURCE, in_fresh_python

pytest.importorskip("llvmlite")

from pullback.native import build, machine
from pullback.native.ir import F32

# Prints whether a kernel computed what it should, and whether LLVM had to compile for it.
PROGRAM = """
    import ctypes, numpy as np
    from pullback.native import build, machine
    from pullback.native.ir import F32
    made = []
    compiled = build.compiled
    build.compiled = lambda text, machine: made.append(1) or compiled(text, machine)
    module = machine.host().module()
    with module.kernel("double", x=F32.pointer) as (f, x):
        x.store(x.load() * 2.0)
    x = np.array([21], np.float32)
    table = (ctypes.c_int64 * 1)(x.ctypes.data)
    kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    kernel(build.linked(module)["double"])(ctypes.addressof(table), 0, 1)
    print(x[0], len(made), build.folder())
"""


def run(place):
    value, made, folder = in_fresh_python(PROGRAM, PULLBACK_CACHE_DIR=str(place)).split()
    assert value == "42.0"
    return int(made), folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cache folder for this process."""
    path = tmp_path / "objects"
    monkeypatch.setenv("PULLBACK_CACHE_DIR", str(path))
    build.folder.cache_clear()
    yield path
    monkeypatch.undo()
    build.folder.cache_clear()


def test_what_one_process_made_another_loads(tmp_path):
    place = tmp_path / "deep" / "objects"
    assert run(place) == (1, str(place))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    (entry,) = place.iterdir()
    assert entry.suffix == ".o" and stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert run(place) == (0, str(place))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: bytes(len(data)),
    ],
    ids=["empty", "digest_cut", "end_cut", "a_bit", "zeros"],
)
def test_a_damaged_entry_is_built_anew(place, damage):
    data = b"an object's bytes" * 20
    build._write("key", data)
    assert build._read("key") == data
    path = place / "key.o"
    path.write_bytes(damage(path.read_bytes()))
    assert build._read("key") is None
    build._write("key", data)
    assert build._read("key") == data


def test_a_damaged_entry_costs_a_compile(tmp_path):
    place = tmp_path / "objects"
    assert run(place)[0] == 1
    (entry,) = place.iterdir()
    good = entry.read_bytes()
    entry.write_bytes(good[:-8] + b"\0" * 8)
    assert run(place)[0] == 1
    assert hashlib.sha256(entry.read_bytes()).digest() == hashlib.sha256(good).digest()


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o750, 0o705])
def test_a_folder_open_to_others_is_not_used(place, mode):
    place.mkdir()
    place.chmod(mode)
    assert build.folder() is None
    build._write("key", b"x" * 64)
    assert not list(place.iterdir()) and build._read("key") is None


def test_a_folder_of_somebody_else_is_not_used(place, monkeypatch):
    place.mkdir(mode=0o700)
    monkeypatch.setattr(build.os, "getuid", lambda: place.stat().st_uid + 1, raising=False)
    assert build.folder() is None


def test_a_link_or_a_file_is_not_used(place, tmp_path):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    place.symlink_to(real)
    assert build.folder() is None
    build.folder.cache_clear()
    place.unlink()
    place.write_text("")
    assert build.folder() is None


def test_off_keeps_nothing(tmp_path):
    code = (
        "import os; os.environ['HOME'] = os.environ['XDG_CACHE_HOME'] = "
        + repr(str(tmp_path))
        + PROGRAM.replace("\n    ", "\n")
    )
    for _ in range(2):
        assert in_fresh_python(code, PULLBACK_CACHE_DIR="off").split() == ["42.0", "1", "None"]
    assert not list(tmp_path.iterdir())


def test_writing_is_all_or_nothing(place, monkeypatch):
    build._write("key", b"old" * 20)

    def fails(*args):
        raise OSError("no space left")

    monkeypatch.setattr(build.os, "replace", fails)
    build._write("key", b"new" * 20)  # a cache that cannot be written is no error
    assert build._read("key") == b"old" * 20
    assert [p.name for p in place.iterdir()] == ["key.o"]


def test_the_entries_used_longest_ago_go_first(place, monkeypatch):
    monkeypatch.setattr(build, "MOST_BYTES", 3200)
    for i in range(4):
        build._write(f"key{i}", bytes([i]) * 900)
        os.utime(place / f"key{i}.o", (1000 + i, 1000 + i)) if (place / f"key{i}.o").exists() else None
    assert {p.stem for p in place.iterdir()} == {"key1", "key2", "key3"}
    assert build._read("key1") is not None  # reading is using
    build._write("key4", b"4" * 900)
    assert {p.stem for p in place.iterdir()} == {"key1", "key3", "key4"}


def test_many_processes_write_at_once(tmp_path):
    place = tmp_path / "objects"
    code = "import textwrap; exec(textwrap.dedent('''" + PROGRAM + "'''))"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PULLBACK_CACHE_DIR": str(place)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in running:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0 and out.startswith("42.0")
    assert [p.suffix for p in place.iterdir()] == [".o"]


def test_the_key_holds_all_that_code_hangs_on():
    host = machine.host()
    keys = {
        build._key("text", host),
        build._key("other", host),
        build._key("text", machine.NEON),
        build._key("text", machine.Machine(host.isa, 256, 16, host.triple, host.cpu, "")),
    }
    assert len(keys) == 4


def test_equal_modules_are_linked_once(place):
    def doubled():
        module = machine.host().module()
        with module.kernel("double", x=F32.pointer) as (_f, x):
            x.store(x.load() * np.pi)
        return build.linked(module)

    assert doubled() is doubled()


def test_importing_pullback_loads_no_llvm():
    assert in_fresh_python("import sys, pullback, pullback.v1; print('llvmlite' in sys.modules)").strip() == "False"
