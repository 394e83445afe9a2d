"""One module per task: `classification`, `spans`, `answers`, `writing` (instruction, sequence), `embeddings`."""

from corpusmill.finetune.tasks.answers import Answers
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.tasks.classification import Classification
from corpusmill.finetune.tasks.embeddings import Embeddings
from corpusmill.finetune.tasks.spans import Tagging
from corpusmill.finetune.tasks.writing import Instruction, Sequences

TASKS: dict[str, type[Task]] = {
    "classification": Classification,
    "tokens": Tagging,
    "question-answering": Answers,
    "instruction": Instruction,
    "sequence": Sequences,
    "embeddings": Embeddings,
}
