"""`tf.distribute` on one device: programs written for several replicas run with one. Also the public namespace.

A strategy of one replica changes no number: `run` calls the function, `reduce` has one value to reduce, and a global
batch is the replica's. More devices than there are is an error, not a smaller run.
"""

from __future__ import annotations

from pullback.namespace import lazy

__getattr__, __dir__ = lazy("v2", "distribute")
