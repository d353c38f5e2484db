"""Matrix products, and the norms and decompositions of matrices."""
