"""Machine code from Python: knows loops, vectors, threads and caches; knows no op. Needs llvmlite.

the language      values.py, ir.py        typed values, and functions made of them
                  mathematics.py          exp, log, tanh, sin on vectors
                  machine.py, build.py    what the processor has; text to code, kept on disk
running it        pool.py, entry.py       lists of jobs over threads; short ones called by CPython itself
                  arena.py                memory that is used again

products          tiles.py                multiply-accumulate in registers
                  packing.py              what tiles read, laid out for them
                  blocked.py, products.py matrices, by blocks; thin ones, as they lie
convolution       sliding.py              forward: windows slide
                  gathering.py            to the filter
                  scattering.py, across.py    to an input of few channels
                  channelwise.py, repeated.py    a filter for each channel
                  stacking.py             volumes as images
                  cost.py                 which of the ways is taken
with fewer        minimal.py, strided.py  the forms F(m, r), at stride 1 and above
products          winograd_tiles.py       where results are cut into tiles
                  winograd.py, winograd_filter.py    in three passes
                  winograd_deep.py, winograd_deep_filter.py    large filters, small images
                  lined.py                few channels at a stride, along rows
pooling           pooling.py, switches.py windows; values at places
the rest          loops.py                fused elementwise nests and folds
                  rows.py, extremes.py, scans.py    what goes along an axis
                  moving.py, lookup.py    strided copies; rows by index
                  philox.py               random words
"""
