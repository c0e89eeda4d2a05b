"""Starts `gateway run` as a real process, for tests that want the whole thing.

    with GatewayProcess(routes) as gateway:
        httpx.get(gateway.url + "/books")

It listens on ports of the system's choice, is ready when the block begins, and has ended, with its workers, when the
block is left. The apps that ``routes`` names are imported from ``cwd``, by default the root of the repository.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import httpx

ROOT = Path(__file__).resolve().parents[2]


class GatewayProcess:
    """One running gateway. ``url`` and ``admin`` are base URLs without a slash at the end.

    ``args`` are further arguments of `gateway run`. Raises AssertionError with the process' log if it is not ready
    after ``timeout`` seconds.
    """

    def __init__(
        self,
        routes: Path,
        *args: str,
        workers: int = 1,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        timeout: float = 20.0,
    ) -> None:
        self.routes = routes
        self.url = ""
        self.admin = ""
        self.ready: dict[str, Any] = {}
        self._timeout = timeout
        # One for all questions: httpx.get reads the system's certificates anew for each.
        self._client = httpx.Client(verify=False, timeout=5)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            command(str(routes), "--port", "0", "--admin", "127.0.0.1:0", "--workers", str(workers), "--json", *args),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=cwd,
            env=environment(env),
        )

    def __enter__(self) -> Self:
        try:
            self.ready = json.loads(self._line())
        except BaseException:
            self.stop()
            raise
        self.url, self.admin = self.ready["url"], self.ready["admin"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"the gateway's log:\n{self.log()}")
        self.stop()

    @property
    def pid(self) -> int:
        """Of the control process."""
        return self._process.pid

    def ask(self, path: str) -> httpx.Response:
        """What the admin listener answers."""
        return self._client.get(self.admin + path)

    def worker_pids(self) -> list[int]:
        """Of the workers that are ready now, in the order of their numbers."""
        return [worker["pid"] for worker in self.ask("/readyz").json()["workers"] if worker["state"] == "ready"]

    def log(self) -> str:
        """All that the gateway has written to stderr so far."""
        if self._log.closed:
            return self._last_log
        # pread: the position belongs to the gateway, which writes through the same open file.
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = 10.0) -> int:
        """The exit code, once the process has ended."""
        return self._process.wait(timeout)

    def stop(self) -> None:
        """End it, kindly and then for certain."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
        self._client.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if not self._log.closed:
            self._last_log = self.log()
            self._log.close()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        until = time.monotonic() + self._timeout
        line = b""
        while not line.endswith(b"\n"):
            left = until - time.monotonic()
            assert left > 0, f"not ready after {self._timeout} s; the log:\n{self.log()}"
            if select.select([self._process.stdout], [], [], left)[0]:
                chunk = os.read(self._process.stdout.fileno(), 1 << 16)
                assert chunk, f"ended with {self.wait()} before it was ready; the log:\n{self.log()}"
                line += chunk
        return line


def command(*args: str) -> list[str]:
    """`gateway run` with the interpreter that runs the tests."""
    return [sys.executable, "-m", "gateway", "run", *args]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, with the repository importable from anywhere."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(extra or {})}


def eventually(condition: Callable[[], bool], timeout: float = 5.0, step: float = 0.01) -> None:
    """Wait until ``condition`` holds; AssertionError if it does not within ``timeout`` seconds."""
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, f"still not so after {timeout} s"
        time.sleep(step)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):  # the second if it ends between the opening and the reading
        return False
