"""Runs crawls in processes that can be killed: a process that forks for each crawl, so that none needs its imports.

It reads a line of JSON per crawl, and writes the child's id and then its status.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from corpusmill.collect.crawl.frontier import key_of
from corpusmill.collect.crawl.rounds import crawl_rounds
from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.recipe import CrawlSettings

SECONDS = 60  # after which a crawl has hung


class Crawler:
    """The process, seen from a test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = 0

    def crawl(self, folder: Path, settings: CrawlSettings, kill_at_flush: int = 0) -> int:
        """Crawl in a child; returns its status, as `subprocess` has it.

        kill_at_flush: kill the child in place of its nth write to the disk; 0: do not
        """
        assert self._process.stdin
        assert self._process.stdout
        data = {"folder": str(folder), "settings": settings.model_dump(mode="json"), "kill": kill_at_flush}
        self._process.stdin.write(json.dumps(data) + "\n")
        self._process.stdin.flush()
        self.pid = int(self._process.stdout.readline())
        return int(self._process.stdout.readline())

    def kill(self) -> None:
        """Kill the child."""
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def crawling() -> Iterator[Crawler]:
    """A Crawler."""
    command = [sys.executable, "-m", "tests.collect.crawl.crawler"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Crawler(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(SECONDS)


def _child(data: dict[str, object]) -> None:
    signal.alarm(SECONDS)
    if data["kill"]:
        _die_at_flush(int(str(data["kill"])))
    crawl_rounds(CrawlFolder(str(data["folder"])), CrawlSettings.model_validate(data["settings"]))


def _die_at_flush(number: int) -> None:
    flush, left = os.fsync, [number]

    def counting(descriptor: int) -> None:
        if threading.current_thread() is threading.main_thread():
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        flush(descriptor)

    os.fsync = counting


def main() -> None:
    """Crawl as stdin says."""
    key_of("example.org")  # it loads the list of suffixes
    pa.table({"a": ["b"]})  # it imports pandas
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                _child(json.loads(line))
            except BaseException:  # noqa: BLE001  # a child must not go on as its parent
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
