"""Train a vocabulary (`train`), encode documents with it (`encode`), write token rows (`shards`), compare (`study`)."""


def warm_up() -> None:
    """Compile the kernels of this package, or load them from the cache."""
    from corpusmill.tokenize.settings import TokenizerSettings
    from corpusmill.tokenize.train import train_tokenizer

    train_tokenizer(["a warm up"], TokenizerSettings(vocab_size=300))
