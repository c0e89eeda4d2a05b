"""One thing that a proxy must get right: what a client and an app say, and how to tell from the outside."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import Address
from benchmarks.wire.app import OK, ScriptedApp

# How long nothing must have come from a proxy for its answer to be taken as over: longer where the app's connection
# ends, for some then close the client's only after a second. And how long the first of it may take.
QUIET_SECONDS = 0.25
CLOSING_SECONDS = 2.0
PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    clean: bool
    text: str

    def __str__(self) -> str:
        return self.text if self.clean else f"NO: {self.text}"


@dataclass(frozen=True, slots=True)
class Seen:
    """``asked`` is what the app was asked, ``told`` what the client was told until it was ``closed`` or quiet.

    ``told_before_body`` is what came while the client still held its body back.
    """

    asked: list[bytes]
    told: bytes
    told_before_body: bytes
    closed: bool

    @property
    def status(self) -> int:
        """Of the final answer; 0 without one."""
        found = re.match(rb"(?:HTTP/1\.[01] 1\d\d [^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n)*HTTP/1\.[01] (\d{3})", self.told)
        return int(found[1]) if found else 0

    @property
    def refused(self) -> bool:
        """The client was told that it was wrong, or the connection ended; and the app knows nothing of it."""
        return not self.asked and (400 <= self.status < 600 or (self.closed and not self.told))

    @property
    def final(self) -> bytes:
        """The final answer: head and content."""
        return re.sub(rb"^(?:HTTP/1\.[01] 1\d\d [^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n)*", b"", self.told, count=1)

    @property
    def told_head(self) -> bytes:
        """In lower case, and with a line's end before each field."""
        return self.final.partition(b"\r\n\r\n")[0].lower() + b"\r\n"

    @property
    def told_content(self) -> bytes:
        return self.final.partition(b"\r\n\r\n")[2]

    @property
    def asked_head(self) -> bytes:
        """Of the last request, as ``told_head``."""
        return self.asked[-1].partition(b"\r\n\r\n")[0].lower() + b"\r\n" if self.asked else b""

    def describe(self) -> str:
        """The status, where nothing else is to be said."""
        if self.status:
            return str(self.status)
        if self.told:
            return f"{self.told[:12].decode(errors='replace')!r}..."
        return "closed" if self.closed else "no answer"


@dataclass(frozen=True, slots=True)
class Probe:
    """``row`` names it in the table, ``rule`` says where it is written; ``name`` is in the path of the request.

    ``held_back`` is sent once the client was told to go on, or after a while. After ``answer``, the app closes the
    connection if it is ``closing``.
    """

    name: str
    row: str
    rule: str
    says: bytes
    judge: Callable[[Seen], Verdict]
    answer: bytes = OK
    held_back: bytes = b""
    closing: bool = False

    def run(self, proxy: Address, app: ScriptedApp) -> Verdict:
        with socket.create_connection(proxy, PATIENCE_SECONDS) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Who refuses a long head need not read it to its end.
            with contextlib.suppress(ConnectionError):
                client.sendall(self.says)
            before, closed = b"", False
            if self.held_back:
                before, closed = _hear(client, 1.0, QUIET_SECONDS)
                try:
                    client.sendall(self.held_back)
                except OSError:
                    closed = True
            told = b""
            if not closed:
                told, closed = _hear(client, PATIENCE_SECONDS, CLOSING_SECONDS if self.closing else QUIET_SECONDS)
        return self.judge(Seen(app.asked(self.name), before + told, before, closed))


def _hear(client: socket.socket, patience: float, quiet: float) -> tuple[bytes, bool]:
    """What comes until nothing more does, and whether the connection has ended."""
    told = b""
    deadline = time.monotonic() + patience
    while True:
        client.settimeout(quiet if told else max(0.01, deadline - time.monotonic()))
        try:
            piece = client.recv(65536)
        except TimeoutError:
            return told, False
        except ConnectionError:
            return told, True
        if not piece:
            return told, True
        told += piece
