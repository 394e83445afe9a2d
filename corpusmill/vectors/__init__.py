"""Static word vectors of a corpus: `settings`, `train` with `glove`, and `words`, which answers and scores."""
