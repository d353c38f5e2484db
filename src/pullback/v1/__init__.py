"""TensorFlow 1's namespace: graphs, Session, placeholder, gradients.

Only names whose signature or meaning differs from TensorFlow 2's have code of their own; where no graph is current,
functions build into the default graph.
"""

from __future__ import annotations

from pullback.dtype_names import *  # noqa: F403
from pullback.namespace import lazy

newaxis = None
__version__ = "1.15.0"  # whose names these are; the library's own is `pullback.__version__`
__getattr__, __dir__ = lazy("v1", "")
