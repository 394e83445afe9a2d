"""The endpoints: a part of the OpenAI API for one model, by aiohttp.

    GET  /v1/models            the model's name
    POST /v1/completions       the continuation of a prompt, or of several
    POST /v1/chat/completions  the next message of a chat, if the model has a chat template

With `"stream": true`, the answer is a stream of server-sent events.  Every error is a JSON object, as clients of the
API expect it.

The server asks nobody for a password, so it listens on this machine only, unless the user names another address.  Pages
in a browser cannot use it: it takes only JSON, which a page may send to another site only with that site's permission,
and it answers only requests that name it by an address or as `localhost`.
"""

import ipaddress
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web

from corpusmill.errors import CorpusmillError, InputError
from corpusmill.generate.chat import ChatTemplate, chat_prompt
from corpusmill.generate.prompts import Prompt, prompt_of
from corpusmill.generate.run import Piece
from corpusmill.generate.writer import Finish
from corpusmill.serve.requests import ChatWish, CompletionWish, Wish
from corpusmill.serve.writing import BusyError, Writing
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.trained import Trained, load

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
REASONS = {Finish.END: "stop", Finish.STOP: "stop", Finish.LENGTH: "length"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one request may ask for."""

    max_tokens: int = 2048  # of each text
    max_request_bytes: int = 1_000_000
    most_waiting: int = 16  # requests


def make_app(model: str | Path, limits: Limits | None = None, *, device: str = "cpu") -> web.Application:
    """The application that serves a model.  InputError if there is no such model, or if it writes no text."""
    trained, limits = load(model, device), limits or Limits()
    if isinstance(trained.model, Encoder):
        raise InputError(f"{model}: a model of the kind 'encoder' writes no text, so it cannot be served")
    server = _Server(trained, limits)
    app = web.Application(middlewares=[_errors_as_json, _known_host], client_max_size=limits.max_request_bytes)
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/v1/models/{name}", server.models)
    app.router.add_post("/v1/completions", server.completions)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.on_cleanup.append(server.close)
    return app


class _Server:
    def __init__(self, trained: Trained, limits: Limits) -> None:
        self._limits, self._writing = limits, Writing(trained, limits.most_waiting)
        self._template = ChatTemplate.of(trained.folder)
        self._name, self._started = trained.folder.resolve().name, int(time.time())

    async def models(self, request: web.Request) -> web.StreamResponse:
        """The list of models, or one of them."""
        model = {"id": self._name, "object": "model", "created": self._started, "owned_by": "corpusmill"}
        if "name" not in request.match_info:
            return web.json_response({"object": "list", "data": [model]})
        self._check_name(request.match_info["name"])
        return web.json_response(model)

    async def completions(self, request: web.Request) -> web.StreamResponse:
        """Continue prompts."""
        wish = CompletionWish.of(await _json(request))
        texts = [wish.prompt] if isinstance(wish.prompt, str) else wish.prompt
        prompts = [prompt_of(self._writing.trained, text) for text in texts]
        return await self._answer(request, wish, prompts, _Form("cmpl", "text_completion", "text_completion", _text))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Write the next message."""
        wish = ChatWish.of(await _json(request))
        if self._template is None:
            raise InputError("the model has no chat template; use /v1/completions")
        messages = [{"role": each.role, "content": each.text} for each in wish.messages]
        prompts = [chat_prompt(self._writing.trained, self._template, messages)]
        return await self._answer(
            request, wish, prompts, _Form("chatcmpl", "chat.completion", "chat.completion.chunk", _message)
        )

    async def _answer(
        self, request: web.Request, wish: Wish, prompts: Sequence[Prompt], form: "_Form"
    ) -> web.StreamResponse:
        self._check_name(wish.model)
        how = wish.sampling(self._limits.max_tokens)
        head = {"id": f"{form.prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": self._name}
        n_prompt = sum(len(prompt.ids) for prompt in prompts)
        if not wish.stream:
            found = await self._writing.whole(prompts, how)
            choices = [form.choice(piece, text, False) for text, piece in found]
            usage = _usage(n_prompt, [piece for _, piece in found])
            return web.json_response({**head, "object": form.whole, "choices": choices, "usage": usage})
        response: web.StreamResponse | None = None
        last: dict[int, Piece] = {}
        async with aclosing(self._writing.pieces(prompts, how)) as pieces:
            async for piece in pieces:
                if response is None:  # an error before the first piece still has its status
                    response = await _begin_events(request)
                last[piece.row] = piece
                if piece.text or piece.finish:
                    chunk = {**head, "object": form.part, "choices": [form.choice(piece, piece.text, True)]}
                    await _send(response, chunk)
        assert response is not None
        if wish.tells_usage:
            usage = _usage(n_prompt, list(last.values()))
            await _send(response, {**head, "object": form.part, "choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    def _check_name(self, name: str | None) -> None:
        if name not in (None, self._name):
            raise _UnknownModelError(f"there is no model '{name}'; this server has '{self._name}'")

    async def close(self, app: web.Application) -> None:
        """End the thread that writes."""
        self._writing.close()


@dataclass(frozen=True, slots=True)
class _Form:
    """How an answer of one endpoint looks."""

    prefix: str  # of its id
    whole: str  # the kind of object that it is
    part: str  # and that of an event of a stream
    choice: Callable[[Piece, str, bool], dict[str, Any]]  # (piece, text, whether it is a part) -> choice


def _text(piece: Piece, text: str, is_part: bool) -> dict[str, Any]:
    return {"index": piece.row, "text": text, "logprobs": None, "finish_reason": _reason(piece)}


def _message(piece: Piece, text: str, is_part: bool) -> dict[str, Any]:
    name = "delta" if is_part else "message"
    return {"index": piece.row, name: {"role": "assistant", "content": text}, "finish_reason": _reason(piece)}


def _reason(piece: Piece) -> str | None:
    return None if piece.finish is None else REASONS[piece.finish]


def _usage(n_prompt: int, last: Sequence[Piece]) -> dict[str, int]:
    written = sum(piece.n_tokens for piece in last)
    return {"prompt_tokens": n_prompt, "completion_tokens": written, "total_tokens": n_prompt + written}


async def _json(request: web.Request) -> Any:
    """The body.  InputError if it is no JSON."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send JSON, with the header Content-Type: application/json")
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is no JSON: {error}") from None


async def _begin_events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, data: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())


class _UnknownModelError(InputError):
    """The request names another model."""


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a JSON object."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        text = error.text if error.text and error.status != 404 else f"there is no {request.method} {request.path}"
        return _error(error.status, text, "invalid_request_error")
    except _UnknownModelError as error:
        return _error(404, str(error), "invalid_request_error", "model_not_found")
    except InputError as error:
        return _error(400, str(error), "invalid_request_error")
    except BusyError:
        return _error(429, "too many requests are waiting; try again later", "rate_limit_error")
    except CorpusmillError as error:
        return _error(500, str(error), "server_error")
    except Exception:  # our own mistake: the client gets JSON, too, and the log has the traceback
        logging.getLogger(__name__).exception("a request failed")
        return _error(500, "the server failed; its log says more", "server_error")


def _error(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status)


@web.middleware
async def _known_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests by another name: a name that someone has pointed to this machine."""
    name = request.host.rpartition(":")[0] if not request.host.endswith("]") and ":" in request.host else request.host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        if name != "localhost":
            raise web.HTTPForbidden(text="name the server by its address, or as localhost") from None
    return await handler(request)
