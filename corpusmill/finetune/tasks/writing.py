"""Tasks whose answers are new text: an output for an input (translation, summary), and conversations.

    sequence, decoder           <|endoftext|> input <|endoftext|> output <|endoftext|>
    sequence, encoder-decoder   the encoder reads <|endoftext|> input, the decoder writes output <|endoftext|>
    instruction                 <|endoftext|> <|im_start|> role newline message <|im_end|> newline, for each message

Only the output, or the messages of the assistant, and the token that ends them are learned.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from corpusmill.errors import InputError
from corpusmill.finetune.decode import greedy
from corpusmill.finetune.examples import Conversation, Message, Writing, named
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.models import plain
from corpusmill.finetune.settings import InstructionSettings, SequenceSettings
from corpusmill.finetune.tasks.base import ROWS, Task
from corpusmill.finetune.texts import Codec, Row, tokenizer_files
from corpusmill.train.batch import IGNORED, Model
from corpusmill.train.trained import Trained
from corpusmill.train.vocabulary import Vocabulary

START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] | trim + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] | trim + '<|im_end|>' }}{% endif %}"
    "{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Written(Task):
    """What both tasks have: a model that writes."""

    kinds: ClassVar[tuple[str, ...]] = ("decoder", "encoder-decoder")
    settings: InstructionSettings | SequenceSettings

    def model(self, base: Model, size: int, row_length: int) -> Model:
        """The pretrained model, without a new output layer."""
        return plain(base, size, row_length, self.settings.dropout)

    def prompt(self, example: Any) -> list[int]:
        """What the model reads before it writes."""
        raise NotImplementedError

    def right(self, example: Any) -> str:
        """The right answer."""
        raise NotImplementedError

    def copied(self, example: Any) -> str:
        """The text that a model would write that only copies."""
        raise NotImplementedError

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an answer."""
        return (self.codec.boundary,)

    def answers(self, model: Trained, examples: Sequence[Any]) -> list[str]:
        """What the model writes for each example."""
        prompts = [self.prompt(example) for example in examples]
        written = greedy(model, prompts, max_tokens=self.settings.max_new_tokens, ends=self.ends)
        return [self.codec.text(ids).strip() for ids in written]

    def predict(self, model: Trained, examples: Sequence[Any]) -> list[dict[str, Any]]:
        """The answers."""
        texts = self.answers(model, examples)
        return [{**named(example), "text": text} for example, text in zip(examples, texts, strict=True)]

    def evaluate(self, model: Trained, examples: Sequence[Any], train: Sequence[Any]) -> list[Figure]:
        """As in `metrics.writing`, and the loss and perplexity per token of right answers."""
        from corpusmill.finetune.metrics.writing import of_texts

        right, said = [self.right(example).strip() for example in examples], self.answers(model, examples)
        ((most, _),) = Counter(self.right(example).strip() for example in train).most_common(1)
        trivial = [[most] * len(examples), [self.copied(example).strip() for example in examples]]
        loss, n = self.loss(model, examples)
        figures = [Figure(metric="loss", value=loss, n=n), Figure(metric="perplexity", value=math.exp(loss), n=n)]
        return [*of_texts(right, said, trivial), *(figures if n else [])]

    def loss(self, model: Trained, examples: Sequence[Any]) -> tuple[float, int]:
        """The mean loss of the right tokens, in nats, and their number."""
        rows = [row for example in examples for row in self.rows(example)]
        total, n = 0.0, 0
        for at in range(0, len(rows), ROWS):
            batch = self.collate(rows[at : at + ROWS])
            arguments = model.model.prepare(batch.inputs.to(model.device))
            targets = tuple(each.to(model.device) for each in batch.targets)
            with torch.inference_mode():
                (losses,) = self.losses(model.model, arguments, targets, training=False)
            total, n = total + float(losses.double().sum()), n + int((targets[0] != IGNORED).sum())
        return total / max(n, 1), n

    def _learned(self, ids: list[int], is_learned: list[bool]) -> list[Row]:
        """A row of a decoder, cut to `max_tokens`; none if nothing of it would be learned."""
        n = self.codec.max_tokens
        following = [
            id_ if learned else IGNORED for id_, learned in zip(ids[1 : n + 1], is_learned[1 : n + 1], strict=True)
        ]
        if all(target == IGNORED for target in following):
            return []
        return [Row(ids=ids[: len(following)], targets=(following,))]


class Sequences(Written):
    """An output for an input."""

    settings: SequenceSettings

    def prompt(self, example: Writing) -> list[int]:
        """The input, cut so that an answer has room."""
        boundary, ids, n = self.codec.boundary, self.codec.ids(example.input), self.codec.max_tokens
        if self.kind == "encoder-decoder":
            return [boundary, *ids][:n]
        return [boundary, *ids[: n - 2 - min(self.settings.max_new_tokens, n // 2)], boundary]

    def rows(self, example: Writing) -> list[Row]:
        """One row; the output is cut to `max_new_tokens`."""
        boundary, read = self.codec.boundary, self.prompt(example)
        written = [*self.codec.ids(example.output or "")[: self.settings.max_new_tokens], boundary]
        if self.kind == "encoder-decoder":
            written = written[: self.codec.max_tokens]
            return [Row(ids=read, decoder_ids=[boundary, *written[:-1]], targets=(written,))]
        return self._learned([*read, *written], [False] * len(read) + [True] * len(written))

    def right(self, example: Writing) -> str:
        """The output."""
        return example.output or ""

    def copied(self, example: Writing) -> str:
        """The input."""
        return example.input

    def files(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """The tokenizer's files: transformers makes a decoder's prompt from an input."""
        return tokenizer_files(vocabulary, ends=self.kind == "decoder")


class Instruction(Written):
    """Conversations, of which the model learns what the assistant says."""

    kinds: ClassVar[tuple[str, ...]] = ("decoder",)
    special: ClassVar[tuple[str, ...]] = (START, END)
    settings: InstructionSettings

    @classmethod
    def learned_from(
        cls, examples: Sequence[Conversation], settings: InstructionSettings, codec: Codec
    ) -> dict[str, Any]:
        """The ids of the tokens around messages.  InputError if no message of an assistant has text."""
        if not any(each.role == "assistant" and each.content.strip() for e in examples for each in e.messages):
            raise InputError("no message of an assistant has text, so there is nothing to learn")
        tokenizer = codec.tokenizer
        return {name: tokenizer.token_to_id(name) for name in cls.special}

    @property
    def ends(self) -> tuple[int, ...]:
        """The token after a message, and the boundary."""
        return (self.notes[END], self.codec.boundary)

    def _tokens(self, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
        """The ids of a conversation, and which of them the model learns."""
        ids, learned = [self.codec.boundary], [False]
        newline = self.codec.ids("\n")
        for message in messages:
            head = f"{message.role}\n"
            tokens = self.codec.tokens(head + message.content.strip())
            says = message.role == "assistant"
            ids += [self.notes[START], *tokens.ids, self.notes[END], *newline]
            learned += [False, *(says and end > len(head) for _, end in tokens.spans), says, *(False for _ in newline)]
        return ids, learned

    def prompt(self, example: Conversation) -> list[int]:
        """The conversation before the answer.  A long one is cut at its beginning."""
        ids, _ = self._tokens(example.asked)
        ids += [self.notes[START], *self.codec.ids("assistant\n")]
        room = self.codec.max_tokens - min(self.settings.max_new_tokens, self.codec.max_tokens // 2)
        return ids if len(ids) <= room else [self.codec.boundary, *ids[1 - room :]]

    def rows(self, example: Conversation) -> list[Row]:
        """One row.  A long conversation is cut at its end."""
        return self._learned(*self._tokens(example.messages))

    def right(self, example: Conversation) -> str:
        """The last message, if it is the assistant's."""
        return example.messages[-1].content

    def copied(self, example: Conversation) -> str:
        """The message before."""
        return example.asked[-1].content if example.asked else ""

    def files(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """The tokenizer's files with the chat template, and where generation ends."""
        ends = {"bos_token_id": self.codec.boundary, "eos_token_id": list(self.ends), "pad_token_id": self.codec.pad}
        files = tokenizer_files(vocabulary, chat=TEMPLATE)
        return {**files, "generation_config.json": ends}
