"""How good a trained model is, and on what: losses by document, evaluation files, the documents of a step.

    subject      a model's folder: its settings, its corpus, and whether the corpus has changed since
    scorer       losses of token sequences, and log-likelihoods of answers (torch)
    documents    losses by document, kept in the model's folder
    explain      the documents of a step, or the worst of a split
    items        files with texts, cloze and choices
    tasks        scores of these
    evaluate     all figures of an evaluation
    harness      the model as lm-eval sees it

It stands above `train`, which it measures, and `reports`, whose catalog it asks about documents.
"""
