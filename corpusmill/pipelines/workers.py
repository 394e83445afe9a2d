"""The worker processes of a local run, forked from one process that has loaded everything they need.

Beam starts a worker with a command.  If each worker loaded an interpreter, Beam, numba and the compiled kernels, each
would take 1.6 s of CPU time, and all would load at the same time.  Here the command is a small client (20 ms).  It asks
the *fork server* for a worker, and waits until that worker ends.  The fork server loads everything once, while the
driver still builds the pipeline, and forks a worker for each client.  A fork takes 5 ms and shares what was loaded.

    driver ── Beam: client ──socket── fork server
                 │                       │ fork
                 └────── its end ───── worker

A client ends with exit code 0 if its worker does, and 1 if the worker is lost.  The worker holds the other end of the
client's connection, and the kernel closes it even if the worker is killed.

Forking is safe as long as the fork server has one thread and has used neither gRPC nor DuckDB, so it only loads.  It is
used on Linux only.  On other systems, system libraries do not work after a fork, so each worker is a new interpreter.
"""

import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from corpusmill.pipelines.request import SUPERVISOR

LONGEST_SOCKET = 100  # bytes of a socket's path; the kernel allows 107
SUPPORTED = sys.platform == "linux"
_CLIENT = (
    "import json, os, socket, sys; server = socket.socket(socket.AF_UNIX); server.connect(sys.argv[1]); "
    "server.sendall(json.dumps(dict(os.environ)).encode() + b'\\n'); sys.exit(server.recv(1) != b'0')"
)


def start_fork_server(folder: Path) -> str | None:
    """Start a fork server, and return the shell command that starts a worker.  It may be used at once.

    folder: a folder of this run only, for a socket.  Returns None if its name is too long for a socket.
    """
    path = folder / f"fork-server-{os.getpid()}"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        return None
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1024)
        descriptor = listener.fileno()
        subprocess.Popen([sys.executable, "-P", "-m", __name__, str(descriptor)], pass_fds=(descriptor,))
    return f"{shlex.quote(sys.executable)} -I -S -c {shlex.quote(_CLIENT)} {shlex.quote(str(path))}"


def main() -> None:
    """Run the fork server.  It inherits the listening socket; the argument is its descriptor."""
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        _name("mill forkserver")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the exit status of workers is not needed
        _load()
        listener.settimeout(0.5)
        supervisor = int(os.environ[SUPERVISOR])
        while _is_there(supervisor):
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    _work(connection)
                connection.close()


def _load() -> None:
    """Import what workers need, and load the compiled kernels that every run uses."""
    import apache_beam.runners.worker.sdk_worker_main

    import corpusmill.collect.pages
    import corpusmill.filters.rules
    import corpusmill.pipelines.corpus
    import corpusmill.tokenize.encode
    from corpusmill.kernels import WARM_UPS

    del apache_beam, corpusmill
    for group in WARM_UPS:
        for package, function in group:
            module = __import__(f"corpusmill.{package}", fromlist=[function])
            getattr(module, function)()


def _work(connection: socket.socket) -> None:
    """Become a worker, with the environment that the client sends; never returns."""
    from apache_beam.runners.worker import sdk_worker_main

    status = b"1"
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _name("mill worker")
        connection.settimeout(60)
        with connection.makefile("rb") as stream:
            environment = json.loads(stream.readline())
        os.environ.clear()
        os.environ.update(environment)
        sdk_worker_main.main(None)
        status = b"0"
    finally:
        with suppress(OSError):
            connection.sendall(status)
        os._exit(status != b"0")


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _name(name: str) -> None:
    """Set the process name that `top` shows: at most 15 bytes."""
    set_name = 15  # PR_SET_NAME
    ctypes.CDLL(None).prctl(set_name, name.encode(), 0, 0, 0)


if __name__ == "__main__":
    main()
