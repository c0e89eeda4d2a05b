"""The backends as real processes, which can be killed and come back at the same address."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from tests.behaviour.process import environment, eventually
from tests.faults.ledger import Ledger

UVICORN = ("uvicorn", "tests.faults.fast_app:app", "--port", "{port}", "--log-level", "warning", "--no-access-log")
GUNICORN = (
    "gunicorn",
    "tests.faults.flask_app:app",
    "--bind",
    "127.0.0.1:{port}",
    "--threads",
    "8",
    "--keep-alive",
    "2",
)


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that stays ours: who connects is refused until one of our servers listens there."""
    with socket.socket() as holder:
        # Linux lets another socket listen on it while this one only holds it, if both say so.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class Server:
    """One backend. It runs within the block, and between ``kill`` and ``start`` it does not."""

    def __init__(self, app: str, ledger: Ledger, port: int, *command: str) -> None:
        self.port = port
        self.kills = 0
        self._command = [sys.executable, "-m", *(word.format(port=port) for word in command)]
        # gunicorn leaves a socket at home.
        book = ledger.book(app)
        self._environment = environment(
            {"FAULTS_BOOK": str(book), "FAULTS_APP": app, "HOME": str(ledger.folder.parent), "WEB_CONCURRENCY": "1"}
        )
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end of the block
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        eventually(self.answers, timeout=20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._log.seek(0)
            error.add_note(f"the backend's log:\n{self._log.read().decode(errors='replace')}")
        self._end()
        self._log.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns before it listens."""
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def kill(self) -> None:
        """With SIGKILL, in the middle of whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def answers(self) -> bool:
        """Whether it takes connections now."""
        assert self._process is not None
        assert self._process.poll() is None, "the backend has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
