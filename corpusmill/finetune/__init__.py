"""Fine-tuning: classification, spans, extractive answers, instructions, sequences, and sentence embeddings.

`run.finetune` trains, `predict.predict` uses.  The training loop is that of pretraining (`train/loop.py`).

    settings, examples      what a user gives: the table [finetune], JSON lines
    texts, models, lora     texts as tokens, pretrained models with an output layer, low-rank updates
    tasks/                  one module per task: rows, losses, predictions, figures
    metrics/                figures beside those of trivial baselines
    job, work, run          what is done already; the loop's work; training, folds, evaluation
"""
