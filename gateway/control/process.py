"""One worker as the control process sees it: a child process, what it has told, and ways to end it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from gateway.config.problem import Problem
from gateway.control.messages import LONGEST, Draining, Failed, Message, Ready, Reloaded, decode
from gateway.control.options import Options


class State(StrEnum):
    """The life of a worker, in order."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    ENDED = "ended"


class WorkerProcess:
    """A worker that has been spawned.

    ``digest`` and ``version`` are of the configuration that it serves, "" and 0 before it is ready. ``rejected`` is
    what was wrong with the file when it last looked, ``missing`` whether there was none to read. ``slots`` is where it
    keeps its numbers.
    """

    def __init__(
        self,
        number: int,
        slots: Path,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.number = number
        self.slots = slots
        self.state = State.STARTING
        self.digest = ""
        self.version = 0
        self.rejected: tuple[Problem, ...] = ()
        self.missing = False
        self.failure: Failed | None = None
        self.ready = asyncio.Event()
        # Unset from a SIGHUP until it has told what it found, or has ended.
        self.looked = asyncio.Event()
        self.looked.set()
        self.ready_at: float | None = None
        self._process = process
        self._reader = reader
        # Nothing is ever written. But the connection lives as long as its writer, and is the worker's lifeline.
        self._writer = writer

    def __repr__(self) -> str:
        return f"<worker {self.number} pid={self.pid} {self.state} {self.digest}>"

    @classmethod
    async def spawn(cls, options: Options, listeners: Sequence[socket.socket]) -> WorkerProcess:
        """A fresh interpreter, not a fork: the apps must find no state, thread or lock of ours. Raises OSError."""
        ours, theirs = socket.socketpair()
        inherited = tuple(listener.fileno() for listener in listeners)
        options = replace(options, listeners=inherited, lifeline=theirs.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gateway.control.worker",
                *options.arguments(),
                stdin=asyncio.subprocess.DEVNULL,
                # What an app prints belongs to the log, not to the output of `gateway run`.
                stdout=sys.stderr.fileno(),
                pass_fds=(*inherited, options.lifeline, *options.log_target.inherited),
                # A terminal's Ctrl-C goes to its whole process group: it is the control process' to decide on.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        streams = await asyncio.open_unix_connection(sock=ours, limit=LONGEST)
        return cls(options.number, options.slots, process, *streams)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def served(self) -> float:
        """Seconds since it was ready, 0 if it never was."""
        return 0.0 if self.ready_at is None else time.monotonic() - self.ready_at

    async def messages(self) -> AsyncIterator[Message]:
        """What it tells, until its end. Each is noted in this object before it is given."""
        # ValueError: a line that is too long. Nothing sensible can follow it.
        while line := await self._reader.readline():
            message = decode(line)
            self._note(message)
            yield message

    async def wait(self) -> int:
        """Its exit code; minus the signal's number if it was killed."""
        code = await self._process.wait()
        self.state = State.ENDED
        self.looked.set()
        self._writer.close()
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def retire(self) -> None:
        """Another has taken over: let it end without hurry."""
        # Before it is ready SIGUSR2 would end it as well, and it has nothing to finish then.
        self._signal(signal.SIGUSR2 if self.state is State.READY else signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def hang_up(self) -> None:
        """Make it read its file again."""
        # Before it is ready SIGHUP would end it, and it reads the file then anyway.
        if self.state is State.READY:
            self.looked.clear()
            self._signal(signal.SIGHUP)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _note(self, message: Message) -> None:
        match message:
            case Ready():
                self.state = State.READY
                self.ready.set()
                self.ready_at = time.monotonic()
                self.digest = message.digest
            case Failed():
                self.failure = message
            case Reloaded():
                self.digest = message.digest
                self.rejected = message.problems
                self.missing = message.outcome == "missing"
                self.looked.set()
            case Draining():
                self.state = State.DRAINING
