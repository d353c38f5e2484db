"""What a value, an op, a record and the chain rule are. Imports NumPy and nothing of ours."""
