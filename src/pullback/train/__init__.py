"""Training: optimizers. Also the public namespace `train`."""

from __future__ import annotations

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "train")
