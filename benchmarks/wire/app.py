"""An app that answers what it is told to, byte for byte, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Mapping

from benchmarks.load import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

_NAME = re.compile(rb"/probe/([a-z0-9-]+)")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_LAST_CHUNK = re.compile(rb"(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n")


class ScriptedApp:
    """Listens on a port of its own while the block lasts.

    ``answers`` are by the name in the path, ``/probe/NAME``; what has none is answered 200. An answer that is in
    ``closing`` is followed by the end of the connection.
    """

    def __init__(self, answers: Mapping[str, bytes], closing: frozenset[str]) -> None:
        self._answers = answers
        self._closing = closing
        self._seen: dict[str, list[bytes]] = {}
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()
        return host, port

    def __enter__(self) -> ScriptedApp:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes whoever is in accept() or recv(), which close() does not.
        for open_socket in (self._listener, *self._connections):
            with open_socket:
                _shut(open_socket)
        self._thread.join()

    def asked(self, name: str) -> list[bytes]:
        """The requests for that name as they arrived, with their bodies."""
        return self._seen.get(name, [])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while self._answer(connection):
                pass
        except OSError:
            pass  # the proxy has had enough of an answer that is none
        _shut(connection)

    def _answer(self, connection: socket.socket) -> bool:
        """One request. Returns whether another may follow."""
        data = _read_until(connection, b"", re.compile(rb"\r\n\r\n"))
        if not data:
            return False
        head, _, body = data.partition(b"\r\n\r\n")
        found = _NAME.search(head.split(b"\r\n")[0])
        name = found[1].decode() if found else ""
        if b"\r\nexpect:" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"\r\ntransfer-encoding:" in head.lower():
            body = _read_until(connection, body, _LAST_CHUNK)
        elif length := _LENGTH.search(head):
            body = _read_until(connection, body, re.compile(rb"(?s).{%d}" % int(length[1])))
        self._seen.setdefault(name, []).append(head + b"\r\n\r\n" + body)
        connection.sendall(self._answers.get(name, OK))
        return name not in self._closing


def _read_until(connection: socket.socket, data: bytes, end: re.Pattern[bytes]) -> bytes:
    while not end.search(data):
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    return data


def _shut(open_socket: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        open_socket.shutdown(socket.SHUT_RDWR)
