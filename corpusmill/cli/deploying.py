"""Commands that use a trained model: generate, fill."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmill.cli.answers import answer_with, json, needs_the_extra, renewed_line
from corpusmill.cli.app import AsJson, app
from corpusmill.errors import InputError
from corpusmill.terminal import printable, size

if TYPE_CHECKING:
    from corpusmill.export.figures import Figure
    from corpusmill.export.formats import Exported
    from corpusmill.generate.fill import Filled
    from corpusmill.generate.prompts import Prompt
    from corpusmill.generate.settings import Sampling
    from corpusmill.train.trained import Trained

ModelPlace = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a model.")]
Device = Annotated[str, typer.Option(metavar="NAME", help="cpu or cuda.")]


@app.command(short_help="Let a model continue a text.")
def generate(
    model: ModelPlace,
    prompt: Annotated[str | None, typer.Argument(metavar="[PROMPT]", help="The beginning of the text.")] = None,
    prompts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help='Many prompts, {"prompt": "..."} on each line; - is standard input.'),
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, metavar="N", help="Stop after this number of tokens.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, metavar="T", help="0 always takes the most likely token.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, metavar="N", help="Choose among the N most likely tokens; 0: all.")] = 0,
    top_p: Annotated[
        float, typer.Option(metavar="P", help="Choose among the most likely tokens whose probabilities sum to P.")
    ] = 0.95,
    min_p: Annotated[
        float, typer.Option(metavar="P", help="Choose no token with less than this share of the highest probability.")
    ] = 0.0,
    repetition_penalty: Annotated[
        float, typer.Option(metavar="X", help="Above 1, tokens that have occurred become less likely.")
    ] = 1.0,
    beams: Annotated[
        int, typer.Option(min=1, metavar="N", help="Search the most likely text, following N texts; nothing is drawn.")
    ] = 1,
    length_penalty: Annotated[
        float, typer.Option(metavar="X", help="Of beam search: larger values prefer longer texts.")
    ] = 1.0,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End before this text; it can be given several times.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same text.")] = 1,
    chat: Annotated[
        bool, typer.Option("--chat", help="The prompt is a message; the model's chat template is applied.")
    ] = False,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With --chat: a system message before the prompt.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="With --prompts: texts at a time.")] = 8,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Let a model continue a text, and print it while it is written.

    With --prompts, one JSON object is printed for each line: that line, with the text, the reason why it ended (end,
    length, stop) and the numbers of tokens.  With --chat, a line can have `messages` instead of a prompt.
    """
    with needs_the_extra("generating"):
        from corpusmill.generate.run import stream
        from corpusmill.train.trained import load
    from corpusmill.generate.settings import Sampling

    if (prompt is None) == (prompts is None):
        raise InputError("give either a PROMPT or --prompts FILE")
    if system is not None and not chat:
        raise InputError("--system needs --chat")
    how = Sampling(
        max_tokens=max_tokens, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p,
        repetition_penalty=repetition_penalty, beams=beams, length_penalty=length_penalty, stop=tuple(stop or ()),
        seed=seed,
    )  # fmt: skip
    trained = load(model, device)
    asks = _prompt_maker(trained, chat, system)
    if prompts is not None:
        _print_lines(trained, prompts, asks, how, batch_size)
    elif as_json:
        print(json(next(_answers(trained, [{"prompt": prompt}], asks, how))))
    else:
        pieces = stream(trained, [asks({"prompt": prompt})], how)
        first = next(pieces).text  # errors in the arguments are reported before any output
        begins = "" if chat or trained.kind == "encoder-decoder" else str(prompt)
        print(printable(begins + first), end="", flush=True)
        for piece in pieces:
            print(printable(piece.text), end="", flush=True)
        print()


def _prompt_maker(trained: "Trained", chat: bool, system: str | None) -> "Callable[[dict[str, Any]], Prompt]":
    """A function from an object with a prompt (or messages) to the prompt for the model."""
    from corpusmill.generate.prompts import prompt_of

    if not chat:
        return lambda row: prompt_of(trained, _text_of(row, "prompt"))
    from corpusmill.generate.chat import ChatTemplate, chat_prompt

    template = ChatTemplate.of(trained.folder)
    if template is None:
        raise InputError(f"{trained.folder}: has no chat template, so --chat cannot be used")

    def ask(row: dict[str, Any]) -> "Prompt":
        messages = row["messages"] if "messages" in row else [{"role": "user", "content": _text_of(row, "prompt")}]
        before = [] if system is None else [{"role": "system", "content": system}]
        if not isinstance(messages, list):
            raise InputError("messages is no list of messages")
        return chat_prompt(trained, template, [*before, *messages])

    return ask


def _text_of(row: dict[str, Any], key: str) -> str:
    if not isinstance(row.get(key), str):
        raise InputError(f'"{key}" is missing, or is no string')
    return str(row[key])


def _print_lines(
    trained: "Trained", path: str, asks: "Callable[[dict[str, Any]], Prompt]", how: "Sampling", batch_size: int
) -> None:
    """One JSON object per prompt of a file, printed when its batch is finished."""
    from corpusmill.generate.prompts import read_lines

    rows = list(read_lines(path))
    line = renewed_line()
    for number, answer in enumerate(_answers(trained, rows, asks, how, batch_size), start=1):
        text = dumps(answer, ensure_ascii=False)
        print(printable(text) if sys.stdout.isatty() else text, flush=True)
        line(f"{number:,} of {len(rows):,} prompts", number == len(rows))


def _answers(
    trained: "Trained",
    rows: list[dict[str, Any]],
    asks: "Callable[[dict[str, Any]], Prompt]",
    how: "Sampling",
    batch_size: int = 1,
) -> Iterator[dict[str, Any]]:
    """Each row with its text.  InputError if one of them is no prompt, before anything is computed."""
    from corpusmill.generate.run import complete

    asked = []
    for number, row in enumerate(rows, start=1):
        try:
            asked.append(asks(row))
        except InputError as error:
            raise InputError(f"prompt {number}: {error}") from None
    for row, completion in zip(rows, complete(trained, asked, how, batch_size=batch_size), strict=True):
        yield row | asdict(completion)


@app.command(short_help="Fill the masks of a text.")
def fill(
    model: ModelPlace,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A text in which [MASK] stands for missing tokens.")],
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Candidates per mask.")] = 5,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Show the most likely tokens for each [MASK] of a text, with their probabilities.  It needs an encoder."""
    with needs_the_extra("filling"):
        from corpusmill.generate.fill import fill as filled

    answer_with(filled(model, text, top=top, device=device), _candidates, as_json)


def _candidates(filled: "Filled") -> str:
    """The masks one after another, and the text with the most likely tokens."""
    lines = []
    for number, candidates in enumerate(filled.masks, start=1):
        lines.append(f"mask {number}:")
        lines += [f"  {each.probability:.4f}  {_shown(each.text, each.token)}" for each in candidates]
    return "\n".join([*lines, filled.text])


def _shown(text: str, token: str) -> str:
    """The text of a token between quotes; of a part of a character, the token as the vocabulary has it."""
    return f"{token} (part of a character)" if "\ufffd" in text else repr(text)


@app.command(short_help="Export a model or a corpus for other programs.")
def export(
    path: Annotated[str, typer.Argument(metavar="PATH", help="The folder of a model or of a corpus.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The new folder of the export.")],
    format: Annotated[
        str,
        typer.Option(metavar="FORMAT", help="Model: hf, onnx, int8, gguf. Corpus: hf, nanogpt, llmc, megatron, mds."),
    ] = "hf",
    corpus: Annotated[
        Path | None,
        typer.Option(metavar="CORPUS", help="Corpus of the model, if the model's folder is not in it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export a model: for HF transformers (hf), onnxruntime (onnx, or int8 with 8 bits), or llama.cpp (gguf).

    Or export the tokens of a corpus: for HF datasets (hf), nanoGPT, llm.c (llmc), Megatron or MosaicML (mds). Each
    document comes once; the mix of the recipe is not applied.

    An exported model is checked with the program that it is for.  What was measured is in the table `exports` of the
    catalog.
    """
    with needs_the_extra("exporting", "export"):
        from corpusmill.export.formats import export as exported

        line = renewed_line()
        result = exported(path, format, out, corpus=corpus, progress=lambda what: line(f"{what} ...", True))
    answer_with(result, _told, as_json)


def _told(result: "Exported") -> str:
    """The figures of an export, its notes, and its files."""
    lines = [_figure(each) for each in result.figures if each.metric not in ("bytes", "largest_difference")]
    lines += [
        f"largest difference of a score {each.value:.1g}"
        for each in result.figures
        if each.metric == "largest_difference"
    ]
    lines += result.notes
    lines += [f"{name} ({size(n)})" for name, n in result.files.items()]
    return "\n".join([*(f"  {line}" for line in lines), f"{result.format}: {result.out}"])


def _figure(figure: "Figure") -> str:
    """A figure next to that of the model in float32."""
    name = figure.metric.replace("_", " ") + (f" of {figure.source}" if figure.source else "")
    if figure.metric == "model_bytes" and figure.baseline:
        share = figure.value / figure.baseline
        return f"model: {size(figure.baseline)} in float32, {size(figure.value)} now ({share:.0%})"
    if figure.metric.endswith(("_documents", "_tokens")):
        return f"{name} {figure.value:,.0f}"
    if figure.baseline is None:
        return f"{name} {figure.value:.4f}"
    return f"{name}: {figure.baseline:.4f} in float32, {figure.value:.4f} now ({figure.value - figure.baseline:+.4f})"


@app.command(short_help="Serve a model with the OpenAI API.")
def serve(
    model: ModelPlace,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; by default this machine only.")
    ] = ("127.0.0.1"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 takes a free one.")
    ] = 8000,
    max_tokens: Annotated[
        int, typer.Option(min=1, metavar="N", help="The longest text that a request may ask for.")
    ] = 2048,
    max_waiting: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests that may wait; more are refused.")
    ] = 16,
    device: Device = "cpu",
) -> None:
    """Serve a model with the OpenAI API: completions, chat completions, models.  Ctrl-C ends it.

    There is no password.  Everyone who can reach the address can use the model.
    """
    with needs_the_extra("serving"):
        from corpusmill.serve.app import Limits, make_app
    from corpusmill.serve.listen import listen

    made = make_app(model, Limits(max_tokens=max_tokens, most_waiting=max_waiting), device=device)
    listen(
        made, host, port, lambda url: print(f"serving {printable(str(model))} at {url}/v1 (Ctrl-C ends it)", flush=True)
    )
