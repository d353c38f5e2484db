"""Pullback: differentiation of array programs, behind the names TensorFlow users know.

import pullback as tf          TensorFlow 2: eager tensors, GradientTape, function
import pullback.v1 as tf       TensorFlow 1: graphs, Session, placeholder, gradients
"""

from __future__ import annotations

from pullback.dtype_names import *  # noqa: F403
from pullback.namespace import lazy

__version__ = "0.1.0"
newaxis = None
__getattr__, __dir__ = lazy("v2", "")
