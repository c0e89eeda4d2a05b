"""Responses, and requests, that come bit by bit; without a server, so that every step is in the test's hands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from starlette.types import Message

from gateway.backends.wsgi_outbox import HIGH_WATER
from tests.backends.asgi import DISCONNECT, Client, http_scope, request, until
from tests.backends.wsgi_apps import PLAIN, Bridge, answer, with_length


class Generator:
    """Chunks without end; it knows how many it has produced, and whether and how it was ended."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self.produced = 0
        self.ended_by: BaseException | None = None
        self.ended = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        try:
            while True:
                self.produced += 1
                yield self.chunk
        except BaseException as error:
            self.ended_by = error
            raise
        finally:
            self.ended.set()

    def was_closed(self) -> bool:
        return self.ended.wait(5) and isinstance(self.ended_by, GeneratorExit)


async def test_a_chunk_goes_out_before_the_next_is_made(bridge: Bridge) -> None:
    seen = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", with_length(6))
        for number in range(3):
            yield b"%d\n" % number
            assert seen.wait(5)
            seen.clear()

    async def on_send(message: Message) -> None:
        if message.get("body"):
            seen.set()

    client = await Client(on_send=on_send).call(bridge(app))
    assert [message["body"] for message in client.sent[1:]] == [b"0\n", b"1\n", b"2\n"]


async def test_a_quick_generator_of_short_lines_costs_few_messages(bridge: Bridge) -> None:
    lines = [b"line %d\n" % number for number in range(20_000)]
    client = await Client().call(bridge(answer(iter(lines))))
    assert client.body == b"".join(lines)
    assert client.complete
    assert len(client.sent) < 400


async def test_a_slow_reader_holds_the_app_back(bridge: Bridge) -> None:
    generator = Generator(b"x" * 1000)
    reading = asyncio.Event()

    async def on_send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await reading.wait()

    client = Client(on_send=on_send)
    task = asyncio.create_task(client.call(bridge(generator)))
    await until(lambda: generator.produced * 1000 > HIGH_WATER)
    await asyncio.sleep(0.01)
    assert generator.produced * 1000 <= HIGH_WATER + 2000
    reading.set()
    await until(lambda: generator.produced * 1000 > 3 * HIGH_WATER)
    client.leave()
    async with asyncio.timeout(2):
        await task


@pytest.mark.parametrize("blocked", [True, False])
async def test_a_client_that_leaves_ends_the_generator_and_frees_the_thread(bridge: Bridge, blocked: bool) -> None:
    generator = Generator(b"x" * 30_000)
    leaving = asyncio.Event()

    async def on_send(message: Message) -> None:
        if blocked and len(client.sent) > 1:
            await leaving.wait()  # as uvicorn, which returns when the connection is lost
        await asyncio.sleep(0)

    app = bridge(generator, threads=1, queue=0)
    client = Client(on_send=on_send)
    task = asyncio.create_task(client.call(app))
    await asyncio.sleep(0.02)
    client.leave()
    assert await asyncio.to_thread(generator.was_closed)
    leaving.set()
    async with asyncio.timeout(2):
        await task
    assert not client.complete
    await app.stop()


async def test_a_send_that_raises_ends_the_generator_and_frees_the_thread(bridge: Bridge) -> None:
    generator = Generator(b"x" * 100_000)

    async def on_send(message: Message) -> None:
        if len(client.sent) == 3:
            raise ConnectionResetError("gone")

    app = bridge(generator, threads=1)
    client = Client(on_send=on_send)
    with pytest.raises(ConnectionResetError, match="gone"):
        await client.call(app)
    assert await asyncio.to_thread(generator.was_closed)
    await app.stop()


async def test_a_send_that_raises_at_once(bridge: Bridge) -> None:
    generator = Generator(b"x" * 100_000)

    async def on_send(message: Message) -> None:
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        await Client(on_send=on_send).call(bridge(generator))
    assert await asyncio.to_thread(generator.was_closed)


async def test_a_cancelled_request_ends_the_generator(bridge: Bridge) -> None:
    generator = Generator(b"x" * 30_000)
    client = Client()
    task = asyncio.create_task(client.call(bridge(generator)))
    await until(lambda: len(client.sent) > 1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await asyncio.to_thread(generator.was_closed)
    assert len(asyncio.all_tasks()) == 1


async def test_a_request_cancelled_before_its_response_begins(bridge: Bridge) -> None:
    entered, go = threading.Event(), threading.Event()
    generator = Generator(b"x" * 100_000)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        entered.set()
        go.wait(5)
        return generator(environ, start_response)

    task = asyncio.create_task(Client().call(bridge(app)))
    await asyncio.to_thread(entered.wait, 5)
    task.cancel()
    await asyncio.wait([task])
    go.set()
    assert await asyncio.to_thread(generator.was_closed)


async def test_write_tells_the_app_that_the_client_has_gone(bridge: Bridge) -> None:
    errors: list[OSError] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [PLAIN])
        try:
            while True:
                write(b"x" * 30_000)
        except OSError as error:
            errors.append(error)
            raise

    app_ = bridge(app)
    client = Client()
    task = asyncio.create_task(client.call(app_))
    await asyncio.sleep(0.01)
    client.leave()
    async with asyncio.timeout(2):
        await task
    await app_.stop()
    assert len(errors) == 1


async def test_an_echo_answers_while_it_is_being_asked(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [PLAIN])
        for line in environ["wsgi.input"]:
            yield line.upper()

    lines = [b"one\n", b"two\n", b"three\n"]
    answered = asyncio.Semaphore(1)

    async def receive() -> Message:
        await answered.acquire()  # each line is sent when the one before has been answered
        line = lines.pop(0)
        return request(line, more=bool(lines))

    async def on_send(message: Message) -> None:
        if message.get("body") and lines:
            answered.release()

    client = Client(on_send=on_send)
    async with asyncio.timeout(2):
        await bridge(app)(http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]), receive, client.send)
    assert client.body == b"ONE\nTWO\nTHREE\n"


async def test_a_client_that_leaves_while_it_uploads_is_an_error_for_the_app(bridge: Bridge) -> None:
    errors: list[OSError] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            errors.append(error)
            raise
        start_response("200 OK", [PLAIN])
        return [b"stored"]

    client = Client([request(b"half", more=True), DISCONNECT])
    async with asyncio.timeout(2):
        await client.call(bridge(app), http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]))
    assert len(errors) == 1
    assert client.sent == []


async def test_what_an_app_makes_of_a_client_that_left_is_sent_to_nobody(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError:
            start_response("500 Sorry", [PLAIN])
        return [b"sorry"]

    client = Client([request(b"half", more=True), DISCONNECT])
    await client.call(bridge(app), http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]))
    assert client.sent == []


async def test_another_error_of_the_app_is_raised_although_the_client_left(bridge: Bridge) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError:
            raise KeyError("a bug in the handler") from None
        return []

    client = Client([request(b"half", more=True), DISCONNECT])
    with pytest.raises(KeyError, match="a bug"):
        await client.call(bridge(app), http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]))


async def test_an_app_cannot_read_after_its_response_is_complete(bridge: Bridge) -> None:
    result: list[object] = []
    done = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", with_length(2))
        yield b"ok"
        try:
            result.append(environ["wsgi.input"].read())
        except OSError as error:
            result.append(error)
        done.set()

    client = Client([request(b"half", more=True)])
    async with asyncio.timeout(2):
        await client.call(bridge(app), http_scope("POST", headers=[(b"transfer-encoding", b"chunked")]))
    assert await asyncio.to_thread(done.wait, 5)
    assert isinstance(result[0], OSError)
    assert client.complete
