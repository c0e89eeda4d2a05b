"""PEP 3333 without a server: start_response, write, and the length of the body."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from gateway.backends.wsgi_exchange import IncompleteResponse
from tests.backends.asgi import Client, http_scope
from tests.backends.wsgi_apps import PLAIN, Body, Bridge, answer, with_length

# start_response


async def test_start_response_never_called(bridge: Bridge) -> None:
    client = Client()
    with pytest.raises(RuntimeError, match="without calling start_response"):
        await client.call(bridge(lambda environ, start_response: []))
    assert client.sent == []


async def test_start_response_called_twice(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        start_response("200 OK", [PLAIN])
        return [b"x"]

    client = Client()
    with pytest.raises(AssertionError, match="twice"):
        await client.call(bridge(app))
    assert client.sent == []


async def test_exc_info_before_anything_was_sent_replaces_the_response(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", with_length(100))
        try:
            raise KeyError("x")
        except KeyError:
            start_response("500 Oops", [PLAIN, ("X-Error", "1")], sys.exc_info())
        return [b"sorry"]

    client = await Client().call(bridge(app))
    assert client.status == 500
    assert client.headers == [(b"content-type", b"text/plain"), (b"x-error", b"1"), (b"content-length", b"5")]
    assert client.body == b"sorry"


async def test_exc_info_after_something_was_sent_raises_it(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"a"
        try:
            raise KeyError("mine")
        except KeyError:
            start_response("500 Oops", [PLAIN], sys.exc_info())
        yield b"never"

    client = Client()
    with pytest.raises(KeyError, match="mine"):
        await client.call(bridge(app))
    assert (client.status, client.body) == (200, b"a")
    assert not client.complete


async def test_exc_info_of_no_exception_after_something_was_sent(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", with_length(2))
        yield b"a"
        start_response("500 Oops", [PLAIN], (None, None, None))

    with pytest.raises(AssertionError, match="has begun"):
        await Client().call(bridge(app))


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200", [("A", "b\r\nSet-Cookie: evil=1")]),
        ("200 OK\r\nA: b", []),
        ("200 OK", [("A:", "b")]),
        ("200 OK", [("Content-Length", "x")]),
        ("101 Switching Protocols", []),
    ],
)
async def test_what_must_not_be_sent_is_an_error_before_anything_is(bridge: Bridge, status: str, headers: Any) -> None:
    client = Client()
    with pytest.raises(ValueError, match=r"invalid|must not"):
        await client.call(bridge(answer([b"x"], status, headers)))
    assert client.sent == []


# write()


async def test_the_write_callable(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [PLAIN])
        write(b"a")
        write(b"")
        write(b"b")
        return [b"c", b"d"]

    client = await Client().call(bridge(app))
    assert client.body == b"abcd"
    assert client.complete


async def test_write_up_to_the_declared_length(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", with_length(2))
        write(b"ab")
        write(b"")
        return []

    client = await Client().call(bridge(app))
    assert client.sent[1] == {"type": "http.response.body", "body": b"ab"}
    assert "longer" not in caplog.text


async def test_write_beyond_the_declared_length(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    wrote = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", with_length(2))
        write(b"ab")
        write(b"cd")
        wrote.set()
        return [b"ef"]

    client = await Client().call(bridge(app))
    assert wrote.wait(5)
    assert client.body == b"ab"
    assert "longer than its Content-Length" in caplog.text


async def test_an_error_after_write(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])(b"a")
        raise ValueError("after write")

    client = Client()
    with pytest.raises(ValueError, match="after write"):
        await client.call(bridge(app))
    assert client.body == b"a"
    assert not client.complete


# Content-Length


@pytest.mark.parametrize(
    "body", [[b"abcdef"], [b"abc", b"def"], Body(b"abcdef"), Body(b"ab", b"cdef"), Body(b"abcd", b"e")]
)
async def test_a_longer_response_is_cut_at_its_length_and_logged(
    bridge: Bridge, caplog: pytest.LogCaptureFixture, body: Iterable[bytes]
) -> None:
    app = bridge(answer(body, headers=with_length(4)), threads=1)
    client = await Client().call(app)
    assert client.body == b"abcd"
    assert client.complete
    await app.stop()
    assert caplog.text.count("longer than its Content-Length") == 1


async def test_an_endless_response_ends_at_its_length(bridge: Bridge) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"abc"

    app = bridge(answer(endless(), headers=with_length(4)), threads=1)
    assert (await Client().call(app)).body == b"abca"
    await app.stop(grace=5)


@pytest.mark.parametrize("body", [[], [b"abc"], [b"a", b"b"], Body()])
async def test_a_shorter_response_that_is_known_in_time_is_an_error(bridge: Bridge, body: Iterable[bytes]) -> None:
    client = Client()
    with pytest.raises(IncompleteResponse):
        await client.call(bridge(answer(body, headers=with_length(4))))
    assert not client.complete


async def test_a_shorter_stream_is_not_completed(bridge: Bridge) -> None:
    client = Client()
    with pytest.raises(IncompleteResponse, match="1 bytes before"):
        await client.call(bridge(answer(Body(b"ab", b"c"), headers=with_length(4))))
    assert client.body == b"abc"
    assert not client.complete


# Responses without a body


@pytest.mark.parametrize("body", [[], [b"abc"], Body(), Body(b"abc"), Body(b"", b"abc"), Body(b"ab", b"c")])
async def test_head(bridge: Bridge, body: Iterable[bytes]) -> None:
    client = await Client().call(bridge(answer(body, headers=with_length(3))), http_scope("HEAD"))
    assert client.headers == [(b"content-type", b"text/plain"), (b"content-length", b"3")]
    assert client.sent[1:] == [{"type": "http.response.body", "body": b""}]


async def test_head_of_an_app_that_is_a_generator(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"abc"

    client = await Client().call(bridge(app), http_scope("HEAD"))
    assert client.headers == [(b"content-type", b"text/plain")]
    assert client.sent[1:] == [{"type": "http.response.body", "body": b""}]


@pytest.mark.parametrize("body", [[b"abc"], Body(b"abc")])
async def test_no_content(bridge: Bridge, body: Iterable[bytes]) -> None:
    client = await Client().call(bridge(answer(body, "204 No Content", with_length(3))))
    assert client.headers == [(b"content-type", b"text/plain")]  # RFC 9110 section 8.6: no Content-Length in a 204
    assert client.body == b""
    assert client.complete


async def test_not_modified_keeps_its_length(bridge: Bridge) -> None:
    client = await Client().call(bridge(answer([], "304 Not Modified", with_length(3))))
    assert (b"content-length", b"3") in client.headers
    assert client.body == b""
