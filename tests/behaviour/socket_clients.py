"""Clients of WebSockets: one that keeps the rules, by the header or the routes to either app, and one that need not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websockets_connect

from tests.behaviour.socket_apps import Sockets
from tests.server.serving import Client
from tests.server.websocket_client import HANDSHAKE


def connect(running: Sockets, path: str, backend: str = "embedded", **options: Any) -> ClientConnection:
    headers = {"X-Gateway-Backend": backend, **options.pop("additional_headers", {})}
    return direct(running, path, additional_headers=headers, **options)


def direct(running: Sockets, path: str, **options: Any) -> ClientConnection:
    options = {"compression": None, "max_size": None, "proxy": None, **options}
    connection: ClientConnection = websockets_connect(running.url(path), **options)
    return connection


def end_of(websocket: ClientConnection) -> tuple[int, str]:
    """Code and reason of the close frame that comes next; 1006 for none, 1005 for an empty one."""
    with pytest.raises(ConnectionClosed) as closed:
        websocket.recv(timeout=5)
    received = closed.value.rcvd
    return (received.code, received.reason) if received is not None else (1006, "")


@contextmanager
def raw(running: Sockets, path: str, backend: str) -> Iterator[Client]:
    """A client with an open WebSocket, which says what it is told to."""
    host, port = running.host.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        client = Client(connection)
        handshake = HANDSHAKE.replace(b"/chat?room=1", path.encode())
        client.send(handshake + f"X-Gateway-Backend: {backend}\r\n\r\n".encode())
        assert client.response().status == 101
        yield client
