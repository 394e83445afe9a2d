"""Texts that are written in a thread, so that the server can answer others meanwhile.

One request is computed at a time, and the others wait in turn.  More than `most_waiting` are refused.  A text whose
reader is gone is not written to its end.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from corpusmill.generate.prompts import Prompt
from corpusmill.generate.run import Piece, stream
from corpusmill.generate.settings import Sampling
from corpusmill.train.trained import Trained


class BusyError(Exception):
    """Too many requests are waiting."""


class Writing:
    """A model, and the requests that wait for it."""

    def __init__(self, trained: Trained, most_waiting: int) -> None:
        self.trained, self._most = trained, most_waiting
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "writing")

    async def pieces(self, prompts: Sequence[Prompt], how: Sampling) -> AsyncGenerator[Piece, None]:
        """The pieces of the texts, when it is their turn.  BusyError if too many requests wait."""
        if self._waiting > self._most:
            raise BusyError
        self._waiting += 1
        loop, gone = asyncio.get_running_loop(), threading.Event()
        queue: asyncio.Queue[Piece | None] = asyncio.Queue()

        def put(piece: Piece | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, piece)

        def work() -> None:
            try:
                for piece in stream(self.trained, prompts, how):
                    if gone.is_set():
                        return
                    put(piece)
            finally:
                put(None)

        done = loop.run_in_executor(self._thread, work)
        try:
            while (piece := await queue.get()) is not None:
                yield piece
        finally:
            gone.set()
            self._waiting -= 1
            await asyncio.shield(done)  # its error, if there is one

    async def whole(self, prompts: Sequence[Prompt], how: Sampling) -> list[tuple[str, Piece]]:
        """Each text, with its last piece."""
        texts, last = [""] * len(prompts), [Piece(0, "", None, 0)] * len(prompts)
        async with aclosing(self.pieces(prompts, how)) as pieces:
            async for piece in pieces:
                texts[piece.row] += piece.text
                last[piece.row] = piece
        return list(zip(texts, last, strict=True))

    def close(self) -> None:
        """End the thread after the present step."""
        self._thread.shutdown(wait=False, cancel_futures=True)
