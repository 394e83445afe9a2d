"""Writes kept blocks as text, and as Markdown."""
