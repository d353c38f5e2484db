"""What the processor is: how wide its vectors are, how many registers hold them, how LLVM names it.

`PULLBACK_ISA` (avx512, avx2, neon) masks what the processor could do beyond the one named.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.native.ir import Module, Type


@dataclass(frozen=True)
class Machine:
    """A target of code generation.

    vector: bits of a vector register; registers: how many there are.
    triple, cpu, features: LLVM's names. pause: whose waiting hint, "x86" or "arm".
    """

    isa: str
    vector: int
    registers: int
    triple: str
    cpu: str
    features: str
    pause: str = "x86"

    def lanes(self, type: Type) -> int:
        """How many values of a type fill a vector."""
        return self.vector // type.bits

    def module(self) -> Module:
        return Module(self.vector, self.pause)


# isa -> (vector bits, registers)
_ISAS = {"avx512": (512, 32), "avx2": (256, 16), "neon": (128, 32)}
_WIDE = frozenset({"avx512f", "avx512vl", "avx512bw", "avx512dq"})


@functools.cache
def binding() -> Any:
    """llvmlite's binding, initialised.

    Raises:
      ImportError: llvmlite is not installed.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@functools.cache
def host() -> Machine:
    """This processor, masked by `PULLBACK_ISA`.

    Raises:
      ArgumentError: PULLBACK_ISA names nothing that this processor has.
    """
    llvm = binding()
    triple = llvm.get_process_triple()
    features = llvm.get_host_cpu_features()
    had = {name for name, there in features.items() if there}
    if triple.startswith(("x86_64", "amd64")):
        found = ["avx512"] * (had >= _WIDE) + ["avx2"] * (had >= {"avx2", "fma"})
    else:
        found = ["neon"] * triple.startswith(("aarch64", "arm64"))
    wanted = os.environ.get("PULLBACK_ISA", found[0] if found else "")
    if wanted not in found:
        raise ArgumentError(f"PULLBACK_ISA={wanted!r}: this processor has {found or 'none of ' + str(list(_ISAS))}")
    vector, registers = _ISAS[wanted]
    if wanted == "avx2" and "avx512" in found:  # the host's own name would bring the wider set back
        return Machine(wanted, vector, registers, triple, "x86-64-v3", "")
    flat = features.flatten()
    return Machine(
        wanted, vector, registers, triple, llvm.get_host_cpu_name(), flat, "arm" if wanted == "neon" else "x86"
    )


NEON = Machine("neon", 128, 32, "aarch64-unknown-linux-gnu", "generic", "+neon", "arm")
