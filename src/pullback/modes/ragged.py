"""TensorFlow 1's RaggedTensor: made in the default graph."""

from __future__ import annotations

from pullback.core.names import public
from pullback.modes.default import in_default_graph
from pullback.modes.sparse import SameInstances
from pullback.ops.ragged import RaggedTensor


@public(v1="RaggedTensor")
class RaggedTensorV1(RaggedTensor, metaclass=SameInstances):
    """A RaggedTensor whose parts are of the default graph."""


for _name in [name for name in vars(RaggedTensor) if name.startswith("from_")]:
    setattr(RaggedTensorV1, _name, staticmethod(in_default_graph(getattr(RaggedTensor, _name))))
