"""Machine code from Python: knows loops, vectors, threads and caches; knows no op. Needs llvmlite."""
