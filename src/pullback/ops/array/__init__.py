"""Making, reshaping, joining, slicing and gathering tensors.

Importing the room installs what the core asks of it: indexing, one tensor of a list that holds tensors, and what
IndexedSlices stand for.
"""

from pullback.ops.array import joining, rows, slicing

__all__ = ["joining", "rows", "slicing"]
