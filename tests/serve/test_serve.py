"""The server, as clients see it."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer

from corpusmill.errors import InputError
from corpusmill.generate.run import generate
from corpusmill.generate.settings import Sampling
from corpusmill.serve.app import Limits, make_app
from tests.generate.conftest import corpus, loaded, models  # noqa: F401  # fixtures
from tests.generate.test_chat import CHATML

GREEDY = {"temperature": 0, "max_tokens": 12}


@pytest.fixture(scope="module")
def folder(models, tmp_path_factory):  # noqa: F811
    """The decoder, with a chat template."""
    out = tmp_path_factory.mktemp("served") / "mill"
    out.mkdir()
    for path in models("decoder").iterdir():
        if path.is_file():
            shutil.copy(path, out)
    (out / "chat_template.jinja").write_text(CHATML)
    return out


@asynccontextmanager
async def client_of(folder, **limits):
    async with TestClient(TestServer(make_app(folder, Limits(**limits)))) as client:
        yield client


def ask(folder, path, body, *, headers=None, **limits):
    """Status and JSON of one request."""

    async def asked():
        async with client_of(folder, **limits) as client:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headed = {"Content-Type": "application/json", **(headers or {})}
            async with client.post(path, data=data, headers=headed) as answer:
                return answer.status, await answer.json()

    return asyncio.run(asked())


def events(folder, path, body):
    """The events of a stream."""

    async def asked():
        async with client_of(folder) as client, client.post(path, json={**body, "stream": True}) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            return (await answer.read()).decode()

    found = asyncio.run(asked()).split("\n\n")
    assert found[-2:] == ["data: [DONE]", ""]
    return [json.loads(each.removeprefix("data: ")) for each in found[:-2]]


def test_a_completion(folder):
    status, answer = ask(folder, "/v1/completions", {"model": "mill", "prompt": ["red fox", "今天天气"], **GREEDY})
    assert status == 200
    expected = ["".join(generate(folder, each, Sampling(**GREEDY))) for each in ("red fox", "今天天气")]
    assert [each["text"] for each in answer["choices"]] == expected
    assert [each["finish_reason"] for each in answer["choices"]] == ["length", "length"]
    assert answer["usage"]["completion_tokens"] == 24
    assert answer["usage"]["total_tokens"] == 24 + answer["usage"]["prompt_tokens"]


def test_a_stream_has_the_same_text_in_whole_characters(folder):
    body = {"prompt": "今天天气很好。", **GREEDY, "stream_options": {"include_usage": True}}
    *found, usage = events(folder, "/v1/completions", body)
    pieces = [each["choices"][0]["text"] for each in found]
    assert "".join(pieces) == "".join(generate(folder, "今天天气很好。", Sampling(**GREEDY)))
    assert len(pieces) > 3
    assert not any("\ufffd" in piece for piece in pieces)
    assert [each["choices"][0]["finish_reason"] for each in found] == [None] * (len(found) - 1) + ["length"]
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 12)


def test_the_same_seed_gives_the_same_text(folder):
    def text(**options):
        return ask(folder, "/v1/completions", {"prompt": "red", "temperature": 1.5, **options})[1]["choices"][0]["text"]

    assert text(seed=3, max_tokens=30) == text(seed=3, max_tokens=30)
    assert text(max_tokens=60) != text(max_tokens=60)  # without a seed, each request draws one


def test_a_stop_string(folder):
    (choice,) = ask(folder, "/v1/completions", {"prompt": "red fox", **GREEDY, "stop": "home"})[1]["choices"]
    assert (choice["finish_reason"], "home" in choice["text"]) == ("stop", False)


def test_a_chat(folder):
    messages = [{"role": "user", "content": [{"type": "text", "text": "red"}]}]
    status, answer = ask(folder, "/v1/chat/completions", {"messages": messages, **GREEDY})
    assert status == 200
    message = answer["choices"][0]["message"]
    assert message["role"] == "assistant"
    found = events(folder, "/v1/chat/completions", {"messages": messages, **GREEDY})
    assert "".join(each["choices"][0]["delta"]["content"] for each in found) == message["content"]
    assert found[0]["object"] == "chat.completion.chunk"


def test_the_list_of_models(folder):
    async def asked():
        async with client_of(folder) as client:
            listed = await (await client.get("/v1/models")).json()
            one, other = [(await client.get(f"/v1/models/{name}")).status for name in ("mill", "none")]
            return [each["id"] for each in listed["data"]], one, other

    assert asyncio.run(asked()) == (["mill"], 200, 404)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "the body is no JSON"),
        ({"prompt": "a", "model": "gpt"}, 404, "there is no model 'gpt'; this server has 'mill'"),
        ({}, 400, "'prompt': field required"),
        ([], 400, "'the request': input should be"),
        ({"prompt": "a", "n": 2}, 400, "'n': input should be 1"),
        ({"prompt": "a", "tools": []}, 400, "'tools' is not supported"),
        ({"prompt": "a", "temperature": -1}, 400, "'temperature': input should be greater than or equal to 0"),
        ({"prompt": "a", "max_tokens": 51}, 400, "this server writes at most 50 tokens"),
        ({"prompt": ["a"] * 33}, 400, "'prompt"),
        ({"prompt": "a" * 5000}, 413, "body size"),
    ],
)
def test_errors_are_json(folder, body, status, message):
    found, answer = ask(folder, "/v1/completions", body, max_tokens=50, max_request_bytes=4000)
    assert found == status
    assert message in answer["error"]["message"]


def test_other_errors_are_json_too(folder, models):  # noqa: F811
    assert ask(folder, "/v1/nothing", {})[1]["error"]["message"] == "there is no POST /v1/nothing"
    status, answer = ask(folder, "/v1/completions", {"prompt": "a"}, headers={"Content-Type": "text/plain"})
    assert (status, answer["error"]["message"]) == (415, "send JSON, with the header Content-Type: application/json")
    status, answer = ask(folder, "/v1/completions", {"prompt": "a"}, headers={"Host": "evil.example:80"})
    assert (status, answer["error"]["message"]) == (403, "name the server by its address, or as localhost")
    messages = {"messages": [{"role": "user", "content": "a"}]}
    assert ask(models("decoder"), "/v1/chat/completions", messages)[0] == 400
    too_long = {"prompt": "owl " * 200}
    status, answer = ask(models("encoder-decoder"), "/v1/completions", too_long)
    assert (status, "the model reads at most 63" in answer["error"]["message"]) == (400, True)
    with pytest.raises(InputError, match="a model of the kind 'encoder' writes no text"):
        make_app(models("encoder"))


def test_too_many_requests_are_refused_and_a_reader_who_leaves_frees_his_place(folder):
    async def asked():
        async with client_of(folder, most_waiting=0, max_tokens=10**6) as client:
            long = {"prompt": "red", "max_tokens": 10**6, "temperature": 1000, "top_p": 1, "seed": 1, "stream": True}
            async with client.post("/v1/completions", json=long) as first:
                await first.content.readline()  # it has begun
                busy = (await client.post("/v1/completions", json={"prompt": "red", **GREEDY})).status
            for _ in range(100):
                status = (await client.post("/v1/completions", json={"prompt": "red", **GREEDY})).status
                if status == 200:
                    return busy, status
                await asyncio.sleep(0.1)
            return busy, status

    assert asyncio.run(asked()) == (429, 200)


def test_the_command_listens_on_this_machine_and_ends_with_sigterm(folder):
    command = [sys.executable, "-m", "corpusmill", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        url = line.split(" at ")[1].split(" ")[0]
        assert url.startswith("http://127.0.0.1:")
        body = json.dumps({"prompt": "red", **GREEDY}).encode()
        request = urllib.request.Request(f"{url}/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["choices"][0]["text"]
        server.send_signal(signal.SIGTERM)
        assert (server.wait(), server.stderr.read()) == (0, "")


def test_a_port_that_is_taken(folder):
    from corpusmill.serve.listen import listen

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="cannot listen there"):
            listen(make_app(folder), "127.0.0.1", taken.getsockname()[1], print)
