"""Which blocks of a page are its main content."""

from pathlib import Path

MODEL = Path(__file__).with_name("model.npz")  # trained by tools/extractor/train.py
