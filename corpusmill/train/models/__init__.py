"""One module per model: `decoder`, `encoder`, `encoder_decoder`, `lstm`."""

import torch

from corpusmill.train.batch import Model
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.models.lstm import Lstm
from corpusmill.train.settings import DecoderSettings, EncoderSettings, LstmSettings, ModelSettings


def build(settings: ModelSettings, vocab_size: int, row_length: int, classes: int, generator: torch.Generator) -> Model:
    """The model that the settings describe, with weights from the generator.

    `classes` is the number of classes of an encoder's second head; 0 for none.
    """
    if isinstance(settings, DecoderSettings):
        return Decoder(ModelConfig.of(settings, vocab_size, row_length), generator, settings.dropout)
    if isinstance(settings, EncoderSettings):
        return Encoder(settings, vocab_size, row_length, classes, generator)
    if isinstance(settings, LstmSettings):
        return Lstm(settings, vocab_size, row_length, generator)
    return EncoderDecoder(settings, vocab_size, row_length, generator)
