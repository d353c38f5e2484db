"""Strings: tensors of bytes. Text is UTF-8 where a function speaks of characters."""
