"""Pretrain a model on the token rows.  Light to import: torch is loaded when a model is really trained or run.

Read in this order:

- `settings`: the settings of a training.
- `run`: the function `train` does a training job, unless it is done.
- `job`: the settings, tokens and folder of a training, and what of it is done already.
- `data`: training rows, a pure function of their position.
- `vocabulary`: the tokens of the corpus, and those that an objective adds.
- `batch`: what passes between an objective and a model.
- `objectives`: batches from rows, and losses from a model and a batch.
- `models`, `attention`: scores from a batch.
- `optim`: Muon, AdamW, SGD and their schedules.
- `loop`: the steps.
- `guard`: which steps are skipped.
- `evaluate`: validation, metrics.
- `checkpoint`: exact resume.
- `finder`: a search for learning rates.
- `tensorboard`: the metrics for TensorBoard.
- `ranks`, `machine`: several processes, one per GPU; what the machine can do.
- `trace`: from a step back to its documents.
- `trained`: a trained model, read from its folder; `cache`: what it remembers while it generates.
"""
