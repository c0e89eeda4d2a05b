"""How connections end. Over sockets."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from tests.server.conftest import HURRIED
from tests.server.serving import GET, LOOPS, POST, Gate, Reader, Served, answer, echo, wait_until

# How late a deadline may be seen, and how slow this machine.
LATE = 1.0


def test_a_silent_client_is_closed_without_a_word(hurried: Served) -> None:
    with hurried.connect() as client:
        begun = time.monotonic()
        assert client.is_closed()
        assert HURRIED.header_timeout <= time.monotonic() - begun < HURRIED.header_timeout + LATE


def test_an_idle_client_is_closed_without_a_word(hurried: Served) -> None:
    with hurried.connect() as client:
        client.send(GET)
        assert client.response().status == 200
        begun = time.monotonic()
        assert client.is_closed()
        # The answer was counted a moment before we had read it.
        assert HURRIED.keep_alive - 0.05 <= time.monotonic() - begun < HURRIED.keep_alive + LATE


@pytest.mark.parametrize("first", [b"", GET])
def test_a_head_that_comes_too_slowly_is_408(hurried: Served, first: bytes) -> None:
    with hurried.connect() as client:
        if first:
            client.send(first)
            assert client.response().status == 200
        begun = time.monotonic()
        # Each byte in time, the whole of it not.
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        client.socket.settimeout(0.05)
        while not client.buffer and time.monotonic() < begun + 5:
            try:
                client.more()
            except TimeoutError:
                client.send(b"a")
        client.socket.settimeout(5)
        response = client.response()
        assert (response.status, response.get("connection")) == (408, "close")
        assert client.is_closed()


def test_a_body_that_stands_still_is_408(hurried: Served) -> None:
    app = hurried.app = Reader()
    with hurried.connect() as client:
        client.send(POST + b"Content-Length: 5\r\n\r\nhe")
        response = client.response()
        assert (response.status, response.get("connection")) == (408, "close")
        assert client.is_closed()
    wait_until(lambda: app.cut_short == 1)


def test_a_slow_body_that_moves_is_waited_for(hurried: Served) -> None:
    hurried.app = echo
    with hurried.connect() as client:
        client.send(POST + b"Content-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(HURRIED.body_timeout / 4)
            client.send(b"x")
        assert client.response().body == b"x" * 8


def test_the_app_may_take_its_time(hurried: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await echo(scope, receive, send)

    hurried.app = app
    gate = Gate()
    with hurried.connect() as short, hurried.connect() as long:
        short.send(GET)
        long.send(POST + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000)
        time.sleep(HURRIED.body_timeout * 2)
        gate.open()
        assert short.response().status == 200
        assert long.response().body == b"x" * 200_000


def test_a_client_that_waits_for_100_continue_is_waited_for(hurried: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await echo(scope, receive, send)

    hurried.app = app
    with hurried.connect() as client:
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        time.sleep(HURRIED.body_timeout * 2)
        gate.open()
        assert client.response().status == 100
        client.send(b"hello")
        assert client.response().body == b"hello"


def test_a_rest_of_a_body_that_does_not_come(hurried: Served) -> None:
    with hurried.connect() as client:
        client.send(POST + b"Content-Length: 5\r\n\r\n")
        assert client.response().body == b"hello"
        assert client.is_closed()


def test_a_client_that_does_not_read_its_answer(hurried: Served) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        wait_until(lambda: hurried.tasks == 1)
        wait_until(lambda: hurried.connections == 0)
        with pytest.raises(ConnectionResetError):
            client.rest()
    wait_until(lambda: hurried.tasks == 0)


def test_a_client_that_does_not_read_the_end_of_its_answer(hurried: Served) -> None:
    # All is written and the connection closed, as far as the app and we are concerned.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"x" * 30_000_000, headers=((b"connection", b"close"),))

    hurried.app = app
    with hurried.connect() as client:
        client.send(GET)
        client.until(b"\r\n\r\n")
        wait_until(lambda: hurried.connections == 0)


def test_a_client_that_reads_slowly_is_waited_for(hurried: Served) -> None:
    size = 20_000_000

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"x" * size, headers=((b"connection", b"close"),))

    hurried.app = app
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.settimeout(5)
        sock.connect(("127.0.0.1", hurried.port))
        sock.sendall(GET)
        got = 0
        begun = time.monotonic()
        while data := sock.recv(1 << 18):
            got += len(data)
            time.sleep(0.008)
    assert time.monotonic() - begun > HURRIED.send_timeout * 2
    assert got > size


def test_an_answer_can_be_read_though_more_was_sent(hurried: Served) -> None:
    # Closing on unread bytes would reset the connection, and the client's kernel would drop the answer.
    with hurried.connect() as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        for _ in range(5):
            time.sleep(0.01)
            client.send(b"x" * 100_000)
        assert client.response().status == 400
        assert client.is_closed()


def test_lingering_ends(hurried: Served) -> None:
    with hurried.connect() as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.response().status == 400
        # The client does not close its side.
        wait_until(lambda: hurried.connections == 0)


def test_clients_that_err_fill_no_log(hurried: Served, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        assert hurried.exchange(b"GET / HTTP/1.1\r\n\r\n").status == 400
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) <= 2
    assert all("no Host" in line and line.startswith("127.0.0.1") for line in lines)


@pytest.mark.parametrize("loop", list(LOOPS))
def test_a_unix_socket_has_no_addresses(loop: str, tmp_path: Path) -> None:
    served = Served(loop, unix=str(tmp_path / "front.sock"))
    try:

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(send, repr(scope["client"]).encode())

        served.app = app
        with served.connect() as client:
            client.send(GET)
            assert client.response().body == b"None"
            client.send(b"bad\r\n\r\n")
            assert client.response().status == 400
    finally:
        served.stop()
        served.join()


# Shutdown.


@pytest.mark.parametrize("loop", list(LOOPS))
def test_a_graceful_shutdown(loop: str) -> None:
    served = Served(loop)
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await gate.passed()
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"b"})
        else:
            await answer(send, b"done")

    served.app = app
    with served.connect() as new, served.connect() as idle, served.connect() as busy, served.connect() as stream:
        gate.open()
        idle.send(GET)
        assert idle.response().status == 200
        gate = Gate()
        busy.send(GET)
        stream.send(GET.replace(b" / ", b" /stream "))
        head = stream.until(b"\r\n\r\n")
        wait_until(lambda: served.tasks == 2)
        served.stop()
        # What is not at work is closed at once.
        assert new.is_closed()
        assert idle.is_closed()
        gate.open()
        # What is finishes, and says that it is the last.
        response = busy.response()
        assert (response.body, response.get("connection")) == (b"done", "close")
        assert busy.is_closed()
        assert b"connection" not in head
        assert stream.until(b"0\r\n\r\n") == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        assert stream.is_closed()
    served.join()


@pytest.mark.parametrize("loop", list(LOOPS))
def test_an_answer_is_read_to_its_end_while_the_rest_of_its_request_comes(loop: str) -> None:
    """A reset would cost the client what its kernel has not got yet (RFC 9112 9.6)."""
    served = Served(loop)
    content = b"." * 3_000_000

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, content)

    served.app = early
    with served.connect() as idle, served.connect() as client:
        client.send(POST + b"Content-Length: 100000\r\n\r\n0123456789")
        wait_until(lambda: served.server.server_state.total_requests == 1)
        served.stop()
        assert idle.is_closed()
        client.send(b"." * 99_990)
        assert client.response().body == content
    served.join()


def test_what_does_not_finish_is_ended() -> None:
    served = Served("uvloop", timeout_graceful_shutdown=0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Gate().passed()

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: served.tasks == 1)
        served.stop()
        response = client.response()
        assert (response.status, response.get("retry-after")) == (503, "1")
    served.join()
