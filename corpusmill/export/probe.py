"""Whether another program gives the scores of the model that was exported."""

from collections.abc import Callable

import torch
from torch import Tensor

from corpusmill.errors import RunError
from corpusmill.train.batch import Inputs
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.trained import Trained

TOLERANCE = 1e-4  # of scores, in float32
LONGEST = 96  # tokens of a probe


def probes(trained: Trained) -> list[Tensor]:
    """Rows of token ids of several lengths, each of which begins with the boundary: (rows, tokens) each.

    The ids are drawn from the whole vocabulary.
    """
    random = torch.Generator().manual_seed(1)
    size = trained.tokenizer.get_vocab_size()
    found = []
    for rows, n in ((1, 1), (2, min(17, trained.row_length)), (1, min(LONGEST, trained.row_length))):
        ids = torch.randint(size, (rows, n), generator=random)
        ids[:, 0] = trained.boundary
        found.append(ids)
    return found


@torch.inference_mode()
def scores(trained: Trained, ids: Tensor) -> Tensor:
    """Our model's scores for rows of one document each: (rows, tokens) -> (rows, tokens, vocab_size)."""
    documents = torch.zeros_like(ids)
    both = (ids, documents) if isinstance(trained.model, EncoderDecoder) else ()
    out = trained.model(*trained.model.prepare(Inputs(ids, documents, None, *both)))
    found: Tensor = out[0] if isinstance(out, tuple) else out
    return found.float()


def largest_difference(trained: Trained, theirs: Callable[[Tensor], Tensor], program: str) -> float:
    """The largest difference of a score.  RunError if it is above TOLERANCE."""
    found = max(float((scores(trained, ids) - theirs(ids).float()).abs().max()) for ids in probes(trained))
    if not found <= TOLERANCE:
        raise RunError(f"the scores of {program} differ from the model's by {found:.2g}; nothing was exported")
    return found
