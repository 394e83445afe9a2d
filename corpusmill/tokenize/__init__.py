"""Train a vocabulary, encode documents, write token rows."""
