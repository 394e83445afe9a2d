"""Converts a page's bytes to UTF-8."""
