"""Tools that watch gradients while a program runs, or hold them against numbers."""
