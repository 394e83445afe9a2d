"""Settings of the model and its training."""

from typing import Self

from pydantic import Field, model_validator

from corpusmill.settings import Settings, Share


class TrainSettings(Settings):
    """The decoder and its training; `corpusmill train` reads it, the pipeline does not."""

    layers: int = Field(6, ge=1)
    width: int = Field(384, ge=32)
    heads: int = Field(6, ge=1)
    kv_heads: int = Field(2, ge=1)
    row_length: int = Field(512, ge=16)  # tokens per training row
    rows_per_step: int = Field(16, ge=1)  # over all ranks
    steps: int = Field(1000, ge=1)
    max_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)  # fewer steps, if so many don't fit: timed once
    matrix_learning_rate: float = Field(0.02, gt=0)  # Muon
    learning_rate: float = Field(0.003, gt=0)  # AdamW: embeddings, norms
    weight_decay: float = Field(0.01, ge=0)
    warmup_share: Share = 0.02
    decay_share: Share = 0.3
    seed: int = Field(1, ge=0)
    checkpoint_every: int = Field(500, ge=1)  # steps
    validate_every: int = Field(100, ge=1)  # steps
    validation_rows: int = Field(64, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not a multiple of 2 x heads ({self.heads})")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads ({self.kv_heads})")
        if self.warmup_share + self.decay_share > 1:
            raise ValueError("warmup_share and decay_share are together more than 1")
        return self
