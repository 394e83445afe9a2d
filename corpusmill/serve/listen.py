"""Listen on an address until the process is told to end."""

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web

from corpusmill.errors import InputError


def listen(app: web.Application, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.  `started` is called with the server's URL.

    InputError if the address cannot be listened on.
    """
    asyncio.run(_listen(app, host, port, started))


async def _listen(app: web.Application, host: str, port: int, started: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise InputError(f"{host}:{port}: cannot listen there: {error.strerror or error}") from None
        address, number = runner.addresses[0][:2]
        started(f"http://{f'[{address}]' if ':' in address else address}:{number}")
        await ended.wait()
    finally:
        await runner.cleanup()
