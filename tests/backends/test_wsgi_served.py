"""The bridge on a real server, with real sockets: what a client can do to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.validate import validator

import pytest
import uvicorn

from gateway.backends.wsgi import WsgiApp
from gateway.backends.wsgi_input import ClientDisconnected
from tests.backends.serving import connected, exchange, read_all, serving
from tests.backends.wsgi_apps import PLAIN, answer, with_length


class Upload:
    """An app that reads its input in steps, and keeps how that went."""

    def __init__(self) -> None:
        self.read = 0
        self.error: BaseException | None = None
        self.began = threading.Event()
        self.ended = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            while chunk := environ["wsgi.input"].read(10_000):
                self.read += len(chunk)
                self.began.set()
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()
        start_response("200 OK", [PLAIN])
        return [str(self.read).encode()]


class Stream:
    """An app that sends without end; it keeps how much it has sent, and notices when it is closed."""

    def __init__(self, size: int, pause: float = 0.0) -> None:
        self.size = size
        self.pause = pause
        self.produced = 0
        self.closed = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        try:
            while True:
                self.produced += self.size
                yield b"x" * self.size
                time.sleep(self.pause)
        finally:
            self.closed.set()


GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


def declared(length: int, *more: bytes) -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: a", b"Content-Length: %d" % length, *more, b"", b""))


def test_a_chunked_upload() -> None:
    upload = Upload()
    with serving(WsgiApp(upload)) as port:
        answered = exchange(port, CHUNKED + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
    assert answered.endswith(b"\r\n\r\n7")


def test_a_chunked_upload_has_no_content_length() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        return [repr(environ.get("CONTENT_LENGTH")).encode(), environ["HTTP_TRANSFER_ENCODING"].encode()]

    with serving(WsgiApp(app)) as port:
        assert exchange(port, CHUNKED + b"0\r\n\r\n").endswith(b"\r\n\r\nNonechunked")


@pytest.mark.parametrize("head", [declared(1_000_000), CHUNKED + b"fffff\r\n"])
def test_a_client_gone_half_way_through_an_upload(head: bytes) -> None:
    upload = Upload()
    with serving(WsgiApp(upload)) as port:
        with connected(port) as connection:
            connection.sendall(head + bytes(100_000))
            assert upload.began.wait(5)
        assert upload.ended.wait(5)
    assert isinstance(upload.error, ClientDisconnected)


def test_a_client_gone_half_way_through_a_small_body() -> None:
    upload = Upload()
    with serving(WsgiApp(upload)) as port:
        with connected(port) as connection:
            connection.sendall(declared(100) + bytes(50))
        assert b" 200 " in exchange(port, CHUNKED + b"0\r\n\r\n")  # it has been dealt with by now
    assert upload.error is None


def test_an_upload_is_answered_before_it_has_come() -> None:
    with serving(WsgiApp(answer([b"too large"], "413 Too Large"))) as port, connected(port) as connection:
        connection.sendall(declared(100_000_000) + bytes(1000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_was_not_read_does_not_disturb_the_next_request() -> None:
    with serving(WsgiApp(answer([b"no"]))) as port, connected(port) as connection:
        connection.sendall(declared(300_000) + bytes(1000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(bytes(299_000))
        connection.sendall(GET)
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_an_app_that_does_not_read_holds_the_client_back() -> None:
    go = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(1)
        go.wait(5)
        start_response("200 OK", [PLAIN])
        return [str(1 + sum(len(block) for block in iter(lambda: environ["wsgi.input"].read(65536), b""))).encode()]

    size = 20_000_000
    with serving(WsgiApp(app)) as port, connected(port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.settimeout(0.1)
        connection.sendall(declared(size, b"Connection: close"))
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < size:
                sent += connection.send(bytes(min(65536, size - sent)))
        assert sent < size / 2  # the sockets' own buffers, and little more
        connection.settimeout(5)
        go.set()
        while sent < size:
            sent += connection.send(bytes(min(65536, size - sent)))
        assert read_all(connection).endswith(b"\r\n\r\n%d" % size)


@pytest.mark.parametrize(("status", "continues"), [("200 OK", True), ("413 Too Large", False)])
def test_100_continue_is_sent_when_the_app_reads_and_only_then(status: str, continues: bool) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if continues:
            environ["wsgi.input"].read()
        start_response(status, [PLAIN])
        return [b"x"]

    with serving(WsgiApp(app)) as port, connected(port) as connection:
        connection.sendall(declared(100_000, b"Expect: 100-continue"))
        first = connection.recv(65536)
        assert first.startswith(b"HTTP/1.1 100 " if continues else b"HTTP/1.1 413 ")


def test_a_response_that_fails_in_the_middle_is_visibly_broken() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"half"
        raise ValueError

    with serving(WsgiApp(app)) as port:
        answered = exchange(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answered.endswith(b"4\r\nhalf\r\n")  # and not 0\r\n\r\n


def test_a_response_shorter_than_its_length_is_visibly_broken() -> None:
    with serving(WsgiApp(answer(iter([b"ab", b"cd"]), headers=with_length(6)))) as port:
        answered = exchange(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"content-length: 6\r\n" in answered
    assert answered.endswith(b"\r\n\r\nabcd")  # and the connection was closed


def test_a_client_that_reads_nothing_holds_the_app_back_and_is_let_go_when_it_leaves() -> None:
    stream = Stream(50_000)
    with serving(WsgiApp(stream, threads=1)) as port:
        with connected(port) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.sendall(GET)
            assert connection.recv(100)
            produced = -1
            while produced != stream.produced:  # until it stands still
                produced = stream.produced
                time.sleep(0.03)
            assert produced < 20_000_000  # the sockets' own buffers, and little more
        assert stream.closed.wait(5)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_client_that_leaves_an_event_stream_frees_its_thread(size: int) -> None:
    stream = Stream(size, pause=0.002)
    with serving(WsgiApp(stream, threads=1)) as port:
        with connected(port) as connection:
            connection.sendall(GET)
            assert connection.recv(100)
        assert stream.closed.wait(5)
        with connected(port) as connection:  # the only thread is free again
            connection.sendall(GET)
            assert connection.recv(100)


def test_slow_requests_do_not_hold_up_others() -> None:
    go = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            go.wait(5)
        start_response("200 OK", [PLAIN])
        return [b"x"]

    with serving(WsgiApp(app, threads=8)) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(7)]
        for connection in slow:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert exchange(port, GET).endswith(b"x")
        go.set()
        for connection in slow:
            assert read_all(connection).startswith(b"HTTP/1.1 200 ")
            connection.close()


def test_a_request_waiting_for_a_thread_is_dropped_when_its_client_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.backends.wsgi.QUEUE_WATCH", 0.005)
    entered, go = threading.Semaphore(0), threading.Event()
    paths = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        paths.append(environ["PATH_INFO"])
        entered.release()
        go.wait(5)
        start_response("200 OK", [PLAIN])
        return [b"x"]

    bridge = WsgiApp(app, threads=1)
    with serving(bridge) as port, connected(port) as first:
        first.sendall(GET)
        assert entered.acquire(timeout=5)
        with connected(port) as second:
            second.sendall(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
            while " 1 of 1024 waiting" not in repr(bridge):
                time.sleep(0.001)
        while " 0 of 1024 waiting" not in repr(bridge):
            time.sleep(0.001)
        go.set()
        assert read_all(first).endswith(b"x")
    assert paths == ["/"]


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS"])
def test_the_validator_of_the_standard_library_passes(method: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        text = body.read(3) + body.readline() + b"".join(body.readlines()) + b"".join(body)
        environ["wsgi.errors"].write("")
        environ["wsgi.errors"].flush()
        if environ["QUERY_STRING"] == "write":
            start_response("200 OK", [PLAIN])(text)
            return []
        start_response("200 OK", [PLAIN])
        return [b"<", text, b">"] if environ["QUERY_STRING"] == "list" else iter([b"<", text, b">"])

    framings = (
        b"Content-Length: 7\r\n\r\nabc\ndef",
        b"Transfer-Encoding: chunked\r\n\r\n7\r\nabc\ndef\r\n0\r\n\r\n",
    )
    with serving(WsgiApp(validator(app))) as port:
        for query in (b"list", b"stream", b"write"):
            for framing in framings:
                head = b"%s /a%%20b?%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % (method, query)
                answered = exchange(port, head + framing)
                assert answered.startswith(b"HTTP/1.1 200 ")
                assert (b"abc\ndef" in answered) == (method != b"HEAD")
    assert capfd.readouterr().err == ""  # where it says that an iterator was not closed


def test_the_same_on_the_event_loop_of_the_standard_library() -> None:
    async def main() -> None:
        lines = [b"line %d\n" % number for number in range(5000)]
        app = WsgiApp(answer(iter(lines)))
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, loop="asyncio", http="h11", lifespan="on", log_config=None))
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            answered = await asyncio.to_thread(exchange, listener.getsockname()[1], GET)
        finally:
            server.should_exit = True
            await serve
            listener.close()
        assert answered.startswith(b"HTTP/1.1 200 ")
        assert b"line 4999\n" in answered

    asyncio.run(main())
