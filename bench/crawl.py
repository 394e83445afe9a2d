"""Crawlers side by side: pages per second, and pages per second of processor time.

    uv venv bench/.venv-crawl
    uv pip install -p bench/.venv-crawl/bin/python -r bench/peers/requirements-crawl.txt
    python bench/crawl.py --peers bench/.venv-crawl/bin/python

Both fetch the same pages from the same hosts: 127.0.1.1 and following, which one process serves, with a latency of
20 ms.  Both are as polite: one connection per host, robots.txt obeyed, no delay (a delay would measure itself).  Both
follow the links of every page.  corpusmill also asks each host for ai.txt and tdmrep.json, and writes WARC files;
Scrapy keeps nothing.  Processor time is that of the crawl alone, without imports.  Rounds alternate, and the fastest
counts.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = Path(__file__).with_name("peers") / "crawlers.py"
LATENCY_S = 0.02
WORDS = "the crawl of a page is a request and an answer and some links in a text of words that nobody reads twice "


def page_of(host: str, number: int, pages: int, size: int) -> bytes:
    """A page with a link to each page of its host, if it is the first, and to ten others else."""
    links = range(pages) if number == 0 else [(number * 7 + i) % pages for i in range(10)]
    items = "".join(f'<li><a href="/{i or ""}">Page {i} of {host}</a></li>\n' for i in links)
    text = f"<p>{WORDS}{number}</p>\n" * ((size - len(items)) // (len(WORDS) + 10))
    return (
        f"<!DOCTYPE html><html><head><title>{number}</title></head><body><ul>{items}</ul>{text}</body></html>".encode()
    )


async def serve(hosts: list[str], pages: int, size: int) -> None:
    """Serve until stdin closes; prints the port."""
    answers = {}
    for host in hosts:
        for number in range(pages):
            body = page_of(host, number, pages, size)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
            answers[host, f"/{number or ''}"] = head.encode() + body
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(LATENCY_S)
                writer.write(answers.get((host, request.split(b" ", 2)[1].decode()), missing))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    first = await asyncio.start_server(answer, hosts[0], 0)
    port = first.sockets[0].getsockname()[1]
    others = [await asyncio.start_server(answer, host, port) for host in hosts[1:]]
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in [first, *others]:
        server.close()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="Python of the environment with Scrapy; without it, ours only")
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--pages", type=int, default=20, help="of each host")
    parser.add_argument("--size", type=int, default=20_000, help="bytes per page")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    hosts = [f"127.0.{1 + i // 250}.{1 + i % 250}" for i in range(options.hosts)]
    if options.serve:
        asyncio.run(serve(hosts, options.pages, options.size))
        return
    words = ["--hosts", options.hosts, "--pages", options.pages, "--size", options.size, "--serve"]
    command = [sys.executable, __file__, *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdin
        seeds = [f"http://{host}:{port}/" for port in [int(server.stdout.readline())] for host in hosts]
        best: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for name, python in [("corpusmill", Path(sys.executable)), ("scrapy", options.peers)]:
                if python is None:
                    continue
                with tempfile.TemporaryDirectory(dir=".") as folder:
                    words = [str(python), str(WORKER), name, folder]
                    done = subprocess.run(
                        words, input=json.dumps(seeds), capture_output=True, text=True, timeout=600, check=False
                    )
                if done.returncode:
                    raise SystemExit(f"{name}: {done.stderr[-2000:]}")
                found = json.loads(done.stdout.splitlines()[-1])
                if name not in best or found["cpu"] < best[name]["cpu"]:
                    best[name] = found
        server.stdin.close()
    print(f"{'':12} {'pages':>7} {'pages/s':>9} {'CPU ms/page':>12} {'pages/CPU s':>12}")
    for name, found in best.items():
        n, seconds, cpu = found["pages"], found["seconds"], found["cpu"]
        print(f"{name:12} {n:7,.0f} {n / seconds:9,.0f} {1000 * cpu / n:12.2f} {n / cpu:12,.0f}")


if __name__ == "__main__":
    main()
