"""PEP 3333 without a server: the ordinary request, close, and errors."""

from __future__ import annotations

import contextvars
import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.backends.asgi import Client, http_scope
from tests.backends.wsgi_apps import PLAIN, Body, Bridge, answer, with_length

# The ordinary request.


async def test_a_response_of_known_length_is_two_messages(bridge: Bridge) -> None:
    client = await Client().call(bridge(answer(Body(b"hello"), "201 Made", with_length(5))))
    assert client.sent == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")],
        },
        {"type": "http.response.body", "body": b"hello"},
    ]


@pytest.mark.parametrize("body", [[], (), [b""], [b"a"], (b"a", b"b"), [b"a", b"", b"b"]])
async def test_a_list_is_sent_with_its_length(bridge: Bridge, body: Iterable[bytes]) -> None:
    whole = b"".join(body)
    client = await Client().call(bridge(answer(body)))
    assert client.headers == [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(whole))]
    assert client.body == whole
    assert len(client.sent) == 2


@pytest.mark.parametrize("parts", [(), (b"",), (b"", b"")])
async def test_an_iterable_without_content_is_sent_with_its_length(bridge: Bridge, parts: tuple[bytes, ...]) -> None:
    client = await Client().call(bridge(answer(Body(*parts))))
    assert client.headers == [(b"content-type", b"text/plain"), (b"content-length", b"0")]
    assert client.body == b""
    assert client.complete


async def test_empty_chunks_are_not_sent(bridge: Bridge) -> None:
    client = await Client().call(bridge(answer(Body(b"", b"a", b"", b"b"))))
    assert client.body == b"ab"
    assert all(message["body"] for message in client.sent[1:-1])
    assert client.complete


async def test_start_response_may_be_called_with_the_first_chunk(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        yield b""
        start_response("202 Later", [PLAIN])
        yield b"x"

    client = await Client().call(bridge(app))
    assert (client.status, client.body, client.complete) == (202, b"x", True)


async def test_an_app_may_be_an_object_and_what_it_returns_any_iterable(bridge: Bridge) -> None:
    class App:
        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [PLAIN])
            return iter([b"a", b"b"])

    assert (await Client().call(bridge(App()))).body == b"ab"


# close()


@pytest.mark.parametrize(
    ("parts", "headers"),
    [
        ((b"a",), [PLAIN]),
        ((b"a",), with_length(1)),
        ((), with_length(0)),
        ((b"a", b"b"), with_length(2)),
        ((b"a", b"b"), with_length(1)),
    ],
)
async def test_close_is_called_once_at_the_end(bridge: Bridge, parts: tuple[bytes, ...], headers: Any) -> None:
    body = Body(*parts)
    await Client().call(bridge(answer(body, headers=headers)))
    assert body.wait_closed()


@pytest.mark.parametrize("parts", [(ValueError("x"),), (b"a", ValueError("x"))])
async def test_close_is_called_once_after_an_error(bridge: Bridge, parts: Any) -> None:
    body = Body(*parts)
    with pytest.raises(ValueError, match="x"):
        await Client().call(bridge(answer(body)))
    assert body.wait_closed()


async def test_close_is_called_when_start_response_was_not(bridge: Bridge) -> None:
    body = Body(b"a")
    with pytest.raises(RuntimeError, match="before it called start_response"):
        await Client().call(bridge(lambda environ, start_response: body))
    assert body.wait_closed()


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Same")])
async def test_close_is_called_when_there_is_no_body(bridge: Bridge, method: str, status: str) -> None:
    body = Body(b"a")
    await Client().call(bridge(answer(body, status)), http_scope(method))
    assert body.wait_closed()


async def test_the_client_does_not_wait_for_close(bridge: Bridge) -> None:
    go = threading.Event()

    def wait() -> None:
        go.wait(5)

    body = Body(b"a", on_close=wait)
    client = await Client().call(bridge(answer(body, headers=with_length(1))))
    assert client.complete
    go.set()
    assert body.wait_closed()


async def test_the_client_does_not_wait_for_what_a_generator_does_after_its_last_byte(bridge: Bridge) -> None:
    go = threading.Event()
    done = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", with_length(1))
        yield b"a"
        go.wait(5)
        done.set()

    client = await Client().call(bridge(app))
    assert client.complete
    assert not done.is_set()
    go.set()
    assert done.wait(5)


async def test_a_close_that_raises_is_logged(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    def explode() -> None:
        raise SystemExit("teardown")

    app = bridge(answer(Body(b"a", on_close=explode)), threads=1)
    assert (await Client().call(app, http_scope(path="/x"))).body == b"a"
    assert (await Client().call(app)).body == b""  # the thread lives, and has done all of the first request
    assert "GET '/x': close() of the response raised" in caplog.text


# Errors


async def test_an_error_in_the_app_comes_with_its_traceback(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ZeroDivisionError("in the app")

    client = Client()
    with pytest.raises(ZeroDivisionError, match="in the app") as error:
        await client.call(bridge(app))
    assert error.traceback[-1].name == "app"
    assert client.sent == []


async def test_an_error_after_start_response_but_before_a_byte(bridge: Bridge) -> None:
    client = Client()
    with pytest.raises(ValueError, match="x"):
        await client.call(bridge(answer(Body(b"", ValueError("x")))))
    assert client.sent == []


async def test_an_error_in_the_middle_is_never_a_clean_end(bridge: Bridge) -> None:
    client = Client()
    with pytest.raises(ValueError, match="x"):
        await client.call(bridge(answer(Body(b"half", ValueError("x")))))
    assert client.body == b"half"
    assert not client.complete


async def test_an_error_after_the_end_is_logged(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    app = bridge(answer(Body(b"all", ValueError("late")), headers=with_length(3)))
    assert (await Client().call(app)).body == b"all"
    await app.stop()
    assert "raised after the end of its response" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
async def test_what_would_end_the_server_is_an_ordinary_error(bridge: Bridge, error: BaseException) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    with pytest.raises(RuntimeError, match="the app raised") as raised:
        await Client().call(bridge(app))
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [SystemExit(1), StopIteration()])
async def test_and_so_it_is_in_the_middle_of_a_response(bridge: Bridge, error: BaseException) -> None:
    class Chunks:
        def __init__(self) -> None:
            self.first = True

        def __iter__(self) -> Chunks:
            return self

        def __next__(self) -> bytes:
            if self.first:
                self.first = False
                return b"a"
            raise error

    client = Client()
    if isinstance(error, StopIteration):
        await client.call(bridge(answer(Chunks())))
        assert client.complete
    else:
        with pytest.raises(RuntimeError):
            await client.call(bridge(answer(Chunks())))
        assert not client.complete


@pytest.mark.parametrize("body", [None, 5, "text", ["text"], b"bytes", [bytearray(b"x")], ["a", "b"], Body("x")])  # type: ignore[arg-type]
async def test_what_is_no_response(bridge: Bridge, body: Any) -> None:
    client = Client()
    with pytest.raises(TypeError):
        await client.call(bridge(answer(body)))
    assert client.sent == []


# The rest of the environment


async def test_context_variables_of_the_caller_are_seen_and_not_changed(bridge: Bridge) -> None:
    variable = contextvars.ContextVar("variable", default="none")
    seen = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        seen.append(variable.get())
        variable.set("the app's")
        start_response("200 OK", with_length(2))
        yield b"a"
        seen.append(variable.get())
        yield b"b"

    app_ = bridge(app, threads=1)
    for name in ("first", "second"):
        variable.set(name)
        await Client().call(app_)
        assert variable.get() == name
    assert seen == ["first", "the app's", "second", "the app's"]


async def test_file_wrapper(bridge: Bridge) -> None:
    file = io.BytesIO(b"x" * 200_000)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", with_length(200_000))
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 8192)
        return wrapped

    app_ = bridge(app)
    client = await Client().call(app_)
    assert client.body == b"x" * 200_000
    assert len(client.sent) <= 5
    await app_.stop()
    assert file.closed


async def test_errors_are_logged_under_the_name_of_the_backend(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.errors"].write("careful\n")
        start_response("200 OK", [PLAIN])
        return []

    await Client().call(bridge(app, name="legacy"))
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("gateway.backends.wsgi.legacy", "careful")
    ]
