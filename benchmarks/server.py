"""Starting and stopping the servers under measurement, as a user would start them."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Address

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class StartError(Exception):
    """The server ended, or did not answer in time. The message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its first process (the root of the tree whose CPU is counted) and where it listens."""

    name: str
    pid: int
    address: Address


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_cpus() -> frozenset[int]:
    """The CPUs for servers that are compared: one of them, when there is another for the load generator.

    A server of one worker process has one interpreter lock and so one CPU's worth of work. Threads that pass the
    lock from CPU to CPU cost up to three times as much, and by chance: gunicorn's gthread worker went from 230 to
    630 µs a request in the same hour. On one CPU all have their best.
    """
    usable = os.sched_getaffinity(0)
    return frozenset({max(usable)} if len(usable) > 1 else usable)


@contextlib.contextmanager
def running(name: str, command: Sequence[str], port: int, *, cpus: Collection[int] = ()) -> Iterator[Server]:
    """Run ``command`` until the block ends, on these ``cpus`` if any are given.

    Yields once it answers on ``port``. Raises StartError.
    """
    _allow_many_sockets()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            if cpus:
                os.sched_setaffinity(process.pid, cpus)  # what it starts will inherit it
            _wait_for(port, process)
            yield Server(name, process.pid, ("127.0.0.1", port))
        except (ConnectionError, StartError) as error:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise StartError(f"{name}: {error}\n$ {' '.join(command)}\n{said}") from error
        finally:
            _stop(process)


@contextlib.contextmanager
def uvicorn(app: str, *, cpus: Collection[int] = ()) -> Iterator[Server]:
    """The app on plain uvicorn: one process, uvloop, httptools, no access log."""
    port = free_port()
    flags = ["--no-access-log", "--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    command = [str(BIN / "uvicorn"), app, "--host", "127.0.0.1", "--port", str(port), *flags]
    with running("uvicorn", command, port, cpus=cpus) as server:
        yield server


@contextlib.contextmanager
def gunicorn(app: str, *, worker: str, threads: int = 1, cpus: Collection[int] = ()) -> Iterator[Server]:
    """The app on gunicorn with one worker process."""
    port = free_port()
    command = [str(BIN / "gunicorn"), app, "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += ["--worker-class", worker, "--threads", str(threads), "--log-level", "warning"]
    with running(f"gunicorn {worker}", command, port, cpus=cpus) as server:
        yield server


@contextlib.contextmanager
def gateway(
    routes: Path, *flags: str, workers: int = 1, cpus: Collection[int] = (), name: str = "gateway run"
) -> Iterator[Server]:
    """`gateway run` with its defaults (metrics and the admin listener are on) and further ``flags``."""
    port, admin = free_port(), free_port()
    command = [str(BIN / "gateway"), "run", str(routes), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--admin", f"127.0.0.1:{admin}", "--workers", str(workers), *flags]
    with running(name, command, port, cpus=cpus) as server:
        yield server


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until a request is answered, whatever the answer: a port may listen long before its app is imported."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"ended with status {process.returncode} before it answered")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), START_SECONDS) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n")
            if client.recv(1):
                return
        time.sleep(0.05)
    raise StartError(f"did not answer on port {port} within {START_SECONDS:g} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _allow_many_sockets() -> None:
    """Raise the soft limit on open files for us and for the servers we start: 1,000 clients need 1,000 each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def environment_note() -> str:
    """One line on the machine, so that a pasted table says where it comes from."""
    load = os.getloadavg()[0]
    version = sys.version.split()[0]
    return f"Python {version}, {os.cpu_count()} CPUs, load average {load:.1f} at the start"
