"""Train a vocabulary (`train`), encode documents with it (`encode`), write token rows (`shards`)."""
