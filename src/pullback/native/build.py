"""Text to machine code: verify, optimise, emit, keep the object on disk, link into the process.

    Module --text--> key --(cache: ~/.cache/pullback)--> object --LLJIT--> addresses

The key is the text, the processor and LLVM's version, so a stale entry is never used. The folder belongs to the
user alone (0700); an entry carries its own digest, and one that is damaged is built anew. `PULLBACK_CACHE_DIR` names
another folder, or "off" for none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

from pullback.native.ir import Module
from pullback.native.machine import Machine, binding, host

MOST_BYTES = 256 * 2**20  # kept on disk; the entries used longest ago go first
_DIGEST = 32  # bytes of SHA-256 before the object
_lock = threading.RLock()
# A process forks while no thread is inside LLVM, whose own locks would stay held in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_linked: dict[str, Code] = {}


class Code:
    """Linked machine code: looks up addresses. Lives as long as the process."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker

    def __getitem__(self, name: str) -> int:
        with _lock:
            return self._tracker[name]


def linked(module: Module) -> Code:
    """The module's code in this process, from memory, from disk, or made now."""
    machine, text = host(), module.text()
    key = _key(text, machine)
    with _lock:
        found = _linked.get(key)
        if found is None:
            data = _read(key)
            if data is None:
                data = compiled(text, machine)
                _write(key, data)
            found = _linked[key] = _link(key, data, module.exported)
        return found


def _key(text: str, machine: Machine) -> str:
    parts = (text, machine.triple, machine.cpu, machine.features, str(binding().llvm_version_info))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def compiled(text: str, machine: Machine) -> bytes:
    """An object file.

    Raises:
      RuntimeError: the text is not well formed; the message is LLVM's.
    """
    llvm = binding()
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    target = _target(machine)
    parsed.triple, parsed.data_layout = machine.triple, str(target.target_data)
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=0))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(parsed, builder)
    return target.emit_object(parsed)


@functools.cache
def _target(machine: Machine) -> Any:
    llvm = binding()
    if not machine.triple.startswith(llvm.get_process_triple().split("-")[0]):
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    found = llvm.Target.from_triple(machine.triple)
    return found.create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=2, reloc="pic", codemodel="small"
    )


@functools.cache
def _jit() -> Any:
    llvm = binding()
    machine = host()
    target = llvm.Target.from_triple(machine.triple)
    return llvm.create_lljit_compiler(
        target.create_target_machine(
            cpu=machine.cpu, features=machine.features, opt=2, reloc="pic", codemodel="small", jit=True
        ),
        use_jit_link=False,
        suppress_errors=True,
    )


def _link(key: str, data: bytes, names: list[str]) -> Code:
    builder = binding().JITLibraryBuilder()
    builder.add_object_img(data)
    builder.add_current_process()
    for name in names:
        builder.export_symbol(name)
    return Code(builder.link(_jit(), key))


# --- the cache on disk ---------------------------------------------------------------------------------------------


@functools.cache
def folder() -> Path | None:
    """Where objects are kept; None when there is no place that only this user can write to."""
    chosen = os.environ.get("PULLBACK_CACHE_DIR")
    if chosen == "off":
        return None
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(chosen) if chosen else base / "pullback"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    owned = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    private = os.name == "nt" or not stat.S_IMODE(found.st_mode) & 0o077
    return path if stat.S_ISDIR(found.st_mode) and owned and private else None


def _read(key: str) -> bytes | None:
    place = folder()
    if place is None:
        return None
    path = place / f"{key}.o"
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) <= _DIGEST or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return data[_DIGEST:]


def _write(key: str, data: bytes) -> None:
    """Atomically; a cache that cannot be written is no error."""
    place = folder()
    if place is None:
        return
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=place, suffix=".new")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(name, place / f"{key}.o")
        _trim(place)
    except OSError:
        if name is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)


def _trim(place: Path) -> None:
    entries = sorted((s.st_mtime, s.st_size, p) for p in place.iterdir() if (s := p.stat()).st_size)
    total = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if total <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
