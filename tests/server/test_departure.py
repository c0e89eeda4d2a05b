from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from math import inf

import pytest

from gateway.server.departure import gone
from tests.server.serving import wait_until


@pytest.fixture(params=["tcp", "unix"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Of one connection: the client's and ours."""
    if request.param == "unix":
        client, ours = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
    with client, ours:
        yield client, ours


def test_who_is_there_has_not_gone(ends: tuple[socket.socket, socket.socket]) -> None:
    client, ours = ends
    assert not gone(ours, 5)
    client.sendall(b"hello")
    assert not gone(ours, 5)
    assert not gone(ours, inf)


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_an_end_in_the_middle_of_a_request(ends: tuple[socket.socket, socket.socket], end: str) -> None:
    client, ours = ends
    client.sendall(b"hello")
    if end == "close" and client.family == socket.AF_INET:
        client.close()
    else:
        client.shutdown(socket.SHUT_WR)
    wait_until(lambda: gone(ours, inf))
    # The request may be whole behind what nobody has read, and its client wait for the answer.
    assert not gone(ours, 5)
    assert gone(ours, 6)
    assert ours.recv(5) == b"hello"


def test_a_reset(ends: tuple[socket.socket, socket.socket]) -> None:
    client, ours = ends
    client.sendall(b"hello")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    wait_until(lambda: gone(ours, 5))
