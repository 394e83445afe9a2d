"""Serve the example web on loopback: all hosts of `web.zip` at one address, distinguished by the Host header.

    python -m examples.serve --port 8642

Then use `curl -H 'Host: rights.example' http://127.0.0.1:8642/`, or a browser:
`chromium --host-resolver-rules="MAP *.example:80 127.0.0.1:8642" http://www.library.example/`.

It uses the standard library only: one thread per connection, keep-alive, each answer in one write.  It answers 4,800
requests per second over eight connections on two cores, which also run the client.
"""

import argparse
import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from examples.live import Live
from examples.webgen.site import Site

WEB = Path(__file__).with_name("web.zip")
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: its address and what it serves."""

    address: str
    port: int
    site: Site


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open longer than the server runs
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        self.site, self.live = site, Live()
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "example"
    sys_version = ""
    timeout = 30  # seconds that an idle connection stays open
    wbufsize = -1  # headers and body are sent in one segment
    disable_nagle_algorithm = True  # so no segment waits 40 ms for the client's delayed acknowledgement

    def do_GET(self) -> None:
        """Answer from the site."""
        host = self.headers.get("Host", "").partition(":")[0].lower()
        if live := self.server.live.answer(host, self.path):
            self._send(live[0], dict(live[1]), live[2])
            return
        answer = self.server.site.answers.get(f"http://{host}{self.path}")
        if answer is None:
            self._send(404, {"Content-Type": "text/html"}, NOT_FOUND)
            return
        headers, body = dict(answer.headers), answer.body
        if headers.get("Content-Encoding") == "gzip":
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body, mtime=0)
            else:
                del headers["Content-Encoding"]
        self._send(answer.status, headers, body)

    def do_HEAD(self) -> None:
        """Answer like GET, without the body."""
        self.do_GET()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the crawler keeps a record of its requests."""


@contextmanager
def serve(port: int = 0, web: Path = WEB) -> Iterator[Serving]:
    """Serve `web` on 127.0.0.1 while the context is open.  Port 0 takes a free port; OSError if `port` is in use."""
    site = Site.load(web)
    with _Server(("127.0.0.1", port), site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Serving("127.0.0.1", server.server_address[1], site)
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="serve the example web on loopback")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free one")
    with serve(parser.parse_args().port) as serving:
        print(
            f"{len(serving.site.answers)} URLs of {len(serving.site.hosts)} hosts at {serving.address}:{serving.port}"
        )
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
