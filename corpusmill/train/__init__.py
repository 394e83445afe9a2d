"""Pretrain a decoder on the token rows; imports torch, never Beam or DuckDB."""
