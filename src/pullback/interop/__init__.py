"""Other libraries' formats, read and written at the edge."""
