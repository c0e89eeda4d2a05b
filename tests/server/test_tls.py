from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.serving import GET, LOOPS, Client, Gate, Served, Truncated, answer, wait_until


@pytest.fixture(scope="module", params=list(LOOPS))
def secure(request: pytest.FixtureRequest, certificate: tuple[Path, Path]) -> Iterator[Served]:
    served = Served(request.param, ssl_certfile=certificate[0], ssl_keyfile=certificate[1])
    yield served
    served.stop()
    served.join()


@pytest.fixture
def client(secure: Served, certificate: tuple[Path, Path]) -> Iterator[Client]:
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with (
        secure.connect() as plain,
        context.wrap_socket(plain.socket, server_hostname="localhost", suppress_ragged_eofs=False) as wrapped,
    ):
        yield Client(wrapped)


def test_the_scheme(secure: Served, client: Client) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, scope["scheme"].encode())

    secure.app = app
    for _ in range(2):
        client.send(GET)
        assert client.response().body == b"https"


def test_a_refusal_can_be_read(client: Client) -> None:
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert client.response().status == 400
    assert client.is_closed()


def test_a_close_delimited_answer_that_is_cut_short_is_seen_to_be(secure: Served, client: Client) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"he", "more_body": True})
        await gate.passed()

    secure.app = app
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    client.until(b"he")
    gate.open()
    with pytest.raises((ConnectionResetError, ssl.SSLError, Truncated)):
        client.rest()


def test_a_client_that_ends_its_side_has_left(secure: Served, client: Client) -> None:
    # There is no half-close: the event loops end the connection when the client ends TLS.
    ends: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        ends.append(await receive())

    secure.app = app
    client.send(GET)
    wait_until(lambda: secure.tasks == 1)
    client.end()
    wait_until(lambda: ends == [{"type": "http.disconnect"}])
    wait_until(lambda: secure.connections == 0)
