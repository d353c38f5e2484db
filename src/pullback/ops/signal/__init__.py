"""Signals: Fourier transforms, frames and windows."""
