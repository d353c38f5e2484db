"""Elementwise mathematics, its operators, and reductions."""
