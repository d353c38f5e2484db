"""Tools that show where a gradient comes from, one a file."""
