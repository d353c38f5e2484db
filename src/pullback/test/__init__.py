"""`tf.test`: test cases that compare arrays, and gradients against differences. Also the public namespace `test`."""

from __future__ import annotations

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "test")
