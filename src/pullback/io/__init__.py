"""File formats: protocol-buffer messages, tensor bundles, graphs; written atomically."""
