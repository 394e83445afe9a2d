"""The training loader, for `corpusmill train` and for training loops of others.  It needs neither Beam nor torch.

    from corpusmill.loader import Steps, open_rows

    rows = open_rows("my-corpus", row_length=2048, seed=1)
    steps = Steps(rows, rows_per_step=64)          # with DataLoader: corpusmill.loader.dataset.StepDataset
    for ids in steps:                              # (64, 2049): inputs are ids[:, :-1], targets ids[:, 1:]
        ...

`manifest` says what there is and how much of each group comes, `schedule` in which order, `stream` and `packing` in
which rows.
"""

from corpusmill.loader.rows import Position, RowDocument, Rows, open_rows
from corpusmill.loader.steps import State, Steps

__all__ = ["Position", "RowDocument", "Rows", "State", "Steps", "open_rows"]
