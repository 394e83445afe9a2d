"""Processes that train one model together, as torchrun starts them.  They are forked from one that has loaded torch."""

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from corpusmill.errors import CorpusmillError

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.train.together", "corpusmill.train.loop", "torch._dynamo"])


def together(function: Callable[..., None], *arguments: Any, ranks: int = 2, seconds: float = 240) -> list[str]:
    """Call a function in so many processes; returns the error of each, which is empty if there was none."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ends = [PROCESSES.Pipe(duplex=False) for _ in range(ranks)]
    started = [
        PROCESSES.Process(target=_as_rank, args=(rank, ranks, port, ends[rank][1], function, arguments))
        for rank in range(ranks)
    ]
    for process in started:
        process.start()
    until = time.monotonic() + seconds
    for process in started:
        process.join(max(0, until - time.monotonic()))
    hanging = [rank for rank, process in enumerate(started) if process.is_alive()]
    for process in started:
        process.kill()
    assert not hanging, f"ranks {hanging} hang"
    return [end.recv() if end.poll() else "died" for end, _ in ends]


def _as_rank(rank, ranks, port, end, function, arguments):
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    try:
        function(rank, *arguments)
    except CorpusmillError as error:
        end.send(f"{type(error).__name__}: {error}")
    else:
        end.send("")
