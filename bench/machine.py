"""What the machine is, and what else it was doing: load, what a fixed loop took from time to time, CPU shares."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import numpy as np


def settings(threads: int) -> dict[str, str]:
    """Environment that tells every library how many threads to use."""
    counts = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "PULLBACK_NUM_THREADS",
    )
    return dict.fromkeys(counts, str(threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}


def confine(threads: int) -> None:
    """Keeps this process, and those that it starts, on so many CPUs: JAX asks for their number alone."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ.update(settings(threads))


def words() -> str:
    """Processor, cores, Python, NumPy."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"{name}, {os.cpu_count()} CPUs; Python {platform.python_version()}, NumPy {np.__version__}"


class Watch:
    """Looks at the machine while measurements go on."""

    def __init__(self) -> None:
        self.loads = [os.getloadavg()[0]]
        self._work = np.arange(1 << 15, dtype=np.float32)
        self.loops: list[float] = []
        self.shares: list[float] = []
        self._stolen = _stolen()
        self._start = time.perf_counter()

    def look(self) -> None:
        """Times a fixed loop of a few milliseconds."""
        cpu, start = time.process_time(), time.perf_counter()
        for _ in range(400):
            np.sqrt(self._work, self._work)
            self._work += 1
        self.loops.append(time.perf_counter() - start)
        self.shares.append((time.process_time() - cpu) / self.loops[-1])

    def done(self) -> dict[str, float]:
        """Load before and after; the loop's median and slowest time by its quickest, its share of a CPU; stolen."""
        self.loads.append(os.getloadavg()[0])
        loops = self.loops or [1.0]
        seconds = time.perf_counter() - self._start
        return {
            "load before": self.loads[0],
            "load after": self.loads[-1],
            "loop, median / quickest": float(np.median(loops)) / min(loops),
            "loop, slowest / quickest": max(loops) / min(loops),
            "loop, share of a CPU": float(np.mean(self.shares or [1.0])),
            "stolen, share of a CPU": (_stolen() - self._stolen) / max(seconds, 1e-9),
        }


def _stolen() -> float:
    """Seconds that a hypervisor gave to others, as Linux counts them; 0 where it does not."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    return int(stat.read_text().split("\n", 1)[0].split()[8]) / os.sysconf("SC_CLK_TCK")
