"""The operators as TensorFlow 1 has them: their methods build into the default graph, where none is current."""

from __future__ import annotations

import functools
from typing import Any

from pullback.core.names import public
from pullback.modes.default import building
from pullback.modes.linear_operators import (
    bands,
    base,
    block_diag,
    block_triangular,
    circulant,
    dense,
    diagonal,
    identity,
    kronecker,
    low_rank,
    permutation,
    products,
)


def in_graphs(cls: Any) -> Any:
    """A class's variant, of the same name, whose instances are the class's own and the variant's alike."""

    @functools.wraps(cls.__init__)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        with building():
            cls.__init__(self, *args, **kwargs)

    members = {
        "__doc__": cls.__doc__,
        "__init__": made,
        "__module__": __name__,
        "_variant_of": cls,
        "_where": staticmethod(building),
    }
    return public(v1=f"linalg.{cls.__name__}")(type(cls)(cls.__name__, (cls,), members))


LinearOperator = in_graphs(base.LinearOperator)
LinearOperatorFullMatrix = in_graphs(dense.LinearOperatorFullMatrix)
LinearOperatorLowerTriangular = in_graphs(dense.LinearOperatorLowerTriangular)
LinearOperatorDiag = in_graphs(diagonal.LinearOperatorDiag)
LinearOperatorIdentity = in_graphs(identity.LinearOperatorIdentity)
LinearOperatorScaledIdentity = in_graphs(identity.LinearOperatorScaledIdentity)
LinearOperatorZeros = in_graphs(identity.LinearOperatorZeros)
LinearOperatorComposition = in_graphs(products.LinearOperatorComposition)
LinearOperatorAdjoint = in_graphs(products.LinearOperatorAdjoint)
LinearOperatorInversion = in_graphs(products.LinearOperatorInversion)
LinearOperatorBlockDiag = in_graphs(block_diag.LinearOperatorBlockDiag)
LinearOperatorBlockLowerTriangular = in_graphs(block_triangular.LinearOperatorBlockLowerTriangular)
LinearOperatorKronecker = in_graphs(kronecker.LinearOperatorKronecker)
LinearOperatorLowRankUpdate = in_graphs(low_rank.LinearOperatorLowRankUpdate)
LinearOperatorHouseholder = in_graphs(low_rank.LinearOperatorHouseholder)
LinearOperatorTridiag = in_graphs(bands.LinearOperatorTridiag)
LinearOperatorToeplitz = in_graphs(bands.LinearOperatorToeplitz)
LinearOperatorCirculant = in_graphs(circulant.LinearOperatorCirculant)
LinearOperatorCirculant2D = in_graphs(circulant.LinearOperatorCirculant2D)
LinearOperatorCirculant3D = in_graphs(circulant.LinearOperatorCirculant3D)
LinearOperatorPermutation = in_graphs(permutation.LinearOperatorPermutation)
