"""Figures of tuned models, one module per family of tasks; each figure stands beside that of a trivial baseline."""
