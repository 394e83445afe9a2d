"""What a request may say: the fields of the OpenAI API that this server knows.

A field that changes the answer and is not supported is refused, with a sentence that names it.  Fields that change
nothing, such as `user`, are read and ignored.  `top_k`, `min_p` and `repetition_penalty` are additions that other
servers have, too.
"""

import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpusmill.errors import InputError
from corpusmill.generate.settings import Sampling

MOST_PROMPTS = 32  # in one request


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: bool = False


class Wish(BaseModel):
    """What both kinds of requests have."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    max_tokens: int | None = Field(None, ge=0)
    temperature: float | None = Field(None, ge=0, allow_inf_nan=False)
    top_k: int | None = Field(None, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    min_p: float | None = Field(None, ge=0, le=1)
    repetition_penalty: float | None = Field(None, gt=0, allow_inf_nan=False)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    frequency_penalty: Literal[0] | None = None
    presence_penalty: Literal[0] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None

    @classmethod
    def of(cls, data: Any) -> Self:
        """The request in a JSON object; InputError if it is wrong, which names the first wrong field."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the request"
            if first["type"] == "extra_forbidden":
                raise InputError(f"'{field}' is not supported") from None
            raise InputError(f"'{field}': {first['msg'][0].lower()}{first['msg'][1:]}") from None

    def sampling(self, limit: int) -> Sampling:
        """How the text is chosen.  At most `limit` tokens; without a seed, one is drawn."""
        given = {
            name: getattr(self, name)
            for name in ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
            if getattr(self, name) is not None
        }
        wanted = Sampling().max_tokens if self.max_tokens is None else self.max_tokens
        if wanted > limit and self.max_tokens is not None:
            raise InputError(f"'max_tokens': this server writes at most {limit} tokens")
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        seed = secrets.randbits(62) if self.seed is None else self.seed
        return Sampling(max_tokens=min(wanted, limit), stop=tuple(each for each in stop if each), seed=seed, **given)

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


class CompletionWish(Wish):
    """A request for the continuation of a prompt, or of several."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS)]
    echo: Literal[False] | None = None
    logprobs: Literal[0] | None = None
    suffix: Literal[""] | None = None
    logit_bias: dict[str, float] | None = Field(None, max_length=0)


class TextPart(BaseModel):
    """A part of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a chat."""

    model_config = ConfigDict(extra="ignore")

    role: str
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """The content, with its parts joined."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatWish(Wish):
    """A request for the next message of a chat."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: int | None = Field(None, ge=0)
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None
    logit_bias: dict[str, float] | None = Field(None, max_length=0)
    response_format: dict[Literal["type"], Literal["text"]] | None = None

    def sampling(self, limit: int) -> Sampling:
        """As in `Wish`; the newer name of `max_tokens` counts first."""
        newer = self.max_completion_tokens
        wish = self if newer is None else self.model_copy(update={"max_tokens": newer, "max_completion_tokens": None})
        return Wish.sampling(wish, limit)
