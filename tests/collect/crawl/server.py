"""A small HTTP server on loopback whose every byte a test decides, and which remembers what it was asked and when."""

import asyncio
import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from corpusmill.recipe import CrawlSettings


@dataclass(frozen=True)
class Page:
    """An answer: complete HTTP, unless `cut` or `raw` says otherwise."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str | None = "text/html; charset=utf-8"
    delay_s: float = 0.0
    gzipped: bool = False
    chunked: bool = False
    cut: int | None = None  # close the connection after so many bytes of the body
    slow: int | None = None  # send so many bytes, and then a byte every 50 ms
    raw: bytes | None = None  # send this instead of an HTTP answer, and close the connection

    def sent(self) -> tuple[bytes, bool]:
        """The bytes to send, and whether the connection stays open."""
        if self.raw is not None:
            return self.raw, False
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = dict(self.headers)
        if self.type:
            headers["Content-Type"] = self.type
        if self.gzipped:
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
        else:
            headers["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"HTTP/1.1 {self.status} Words\r\n{head}\r\n".encode("utf-8", "surrogateescape")
        if self.cut is not None:
            return start + body[: self.cut], False
        return start + body, True


def redirect(to: str, status: int = 301) -> Page:
    """A redirect."""
    return Page(status=status, headers={"Location": to}, type=None)


def page(*links: str, text: str = "") -> Page:
    """An HTML page with links."""
    return Page("<html><body>" + text + "".join(f'<p><a href="{link}">link</a></p>' for link in links))


@dataclass(frozen=True)
class Request:
    """What was asked, and when."""

    host: str
    path: str
    headers: Mapping[str, str]
    connection: int
    started: float
    ended: float


Route = Page | Callable[[int], Page]  # a function of how often it was asked before
Web = dict[str, Route]  # "http://host/path" -> answer


class Server:
    """Serves a Web to every name that leads here."""

    def __init__(self, web: Web, address: str, tls: bool = False) -> None:
        self.web = web
        self.tls = tls
        self.address = address
        self.port = 0
        self.requests: list[Request] = []
        self.connections = 0
        self.open: dict[str, int] = {}  # connections that have asked a host something and are open
        self.most_open: dict[str, int] = {}
        self._asked: dict[str, int] = {}

    @property
    def paths(self) -> list[str]:
        """Everything that was asked for, in order."""
        return [f"{request.host}{request.path}" for request in self.requests]

    def gaps(self, host: str) -> list[float]:
        """Seconds between the end of one answer of a host and the next request."""
        mine = [request for request in self.requests if request.host == host]
        return [b.started - a.ended for a, b in pairwise(mine)]

    def settings(self, *seeds: str, **changes: object) -> CrawlSettings:
        """Settings of a crawl in which every name leads to this server."""
        values: dict[str, object] = {
            "seeds": list(seeds) or ["http://a.example/"],
            "delay_s": 0.0,
            "max_delay_s": 0.05,
            "timeout_s": 2.0,
            "contact": "tests@corpusmill.example",
            "allow_private_addresses": True,
            "connect_to": {"*.example": f"{self.address}:{self.port}"},
        }
        return CrawlSettings.model_validate(values | changes)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number, hosts = self.connections, set()
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                started = time.monotonic()
                first, *lines = head.strip().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                path, host = first.split(" ")[1], headers["host"]
                if host not in hosts:
                    hosts.add(host)
                    self.open[host] = self.open.get(host, 0) + 1
                    self.most_open[host] = max(self.most_open.get(host, 0), self.open[host])
                answer = self._answer(f"{'https' if self.tls else 'http'}://{host}{path}", headers)
                await asyncio.sleep(answer.delay_s)
                data, stays = answer.sent()
                ended = time.monotonic()  # before the client can have the answer
                for i in range(answer.slow or 0, len(data)) if answer.slow is not None else ():
                    writer.write(data[: i + 1] if i == answer.slow else data[i : i + 1])
                    await writer.drain()
                    await asyncio.sleep(0.05)
                if answer.slow is None:
                    writer.write(data)
                await writer.drain()
                self.requests.append(Request(host, path, headers, number, started, ended))
                if not stays:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            for host in hosts:
                self.open[host] -= 1
            writer.close()

    def _answer(self, url: str, headers: Mapping[str, str]) -> Page:
        route = self.web.get(url, Page(status=404))
        before = self._asked[url] = self._asked.get(url, -1) + 1
        page = route if isinstance(route, Page) else route(before)
        validators = {page.headers.get("ETag"), page.headers.get("Last-Modified")} - {None}
        if validators & {headers.get("if-none-match"), headers.get("if-modified-since")}:
            return Page(status=304, headers=page.headers, type=None)
        return page


@contextmanager
def serving(web: Web, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a free port, in a thread of its own."""
    server = Server(web, address, tls is not None)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def main() -> None:
        listening = await asyncio.start_server(server._serve, address, 0, ssl=tls)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        async with listening:
            await stop.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
