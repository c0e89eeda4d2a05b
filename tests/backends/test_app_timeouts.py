from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.backends.app_timeouts import AppTimeouts, TooLate
from gateway.backends.overload import Overloaded
from gateway.upstream.failure import Failure, UpstreamError
from tests.backends.asgi import http_scope, request

SHORT = 0.03
LONG = 5.0

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"part", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"last"}


class Client:
    """Gives ``parts`` of a body, each after ``pause`` seconds, and takes each part of the answer after ``slow``."""

    def __init__(self, *parts: Message, pause: float = 0, slow: float = 0) -> None:
        self.sent: list[Message] = []
        # How many wait for more than there is.
        self.listening = 0
        self._parts = list(parts) or [request()]
        self._pause = pause
        self._slow = slow

    async def receive(self) -> Message:
        if not self._parts:
            self.listening += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.listening -= 1
        await asyncio.sleep(self._pause)
        return self._parts.pop(0)

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self._slow)
        self.sent.append(message)

    async def ask(self, app: ASGIApp, *, head: float = LONG, idle: float = LONG, **scope: Any) -> list[str]:
        """The types of the messages of the answer."""
        timed = AppTimeouts(app, head=head, idle=idle, most=5, name="new")
        await timed(http_scope(**scope), self.receive, self.send)
        return self.types

    async def fails(self, app: ASGIApp, *, head: float = LONG, idle: float = LONG, **scope: Any) -> Failure:
        with pytest.raises(UpstreamError) as caught:
            await self.ask(app, head=head, idle=idle, **scope)
        return caught.value.failure

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.sent]


async def hang(*_: object) -> None:
    await asyncio.Event().wait()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(LAST)


class TestHead:
    async def test_an_app_that_hangs_is_left_to_itself(self) -> None:
        """It finds that its client has left, and nothing that it says is heard any more."""
        heard: list[Message] = []
        errors: list[BaseException] = []
        end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            try:
                heard.append(await receive())
                heard.append(await receive())
                await answer(scope, receive, send)
            except OSError as error:
                errors.append(error)
            end.set()

        client = Client()
        assert await client.fails(app, head=SHORT) is Failure.HEAD_TIMEOUT
        # Who asks next, in the place of the app, is the only one that listens.
        assert client.listening == 0
        await end.wait()
        assert [message["type"] for message in heard] == ["http.disconnect", "http.disconnect"]
        assert isinstance(errors[0], TooLate)
        assert client.sent == []

    async def test_what_it_raises_then_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        free = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await free.wait()
            raise ValueError("oh")

        assert await Client().fails(app, head=SHORT) is Failure.HEAD_TIMEOUT
        free.set()
        while not caplog.records:
            await asyncio.sleep(0)
        [record] = caplog.records
        assert record.getMessage() == "backend new raised after its request was given up"

    async def test_so_many_are_left_and_no_more(self) -> None:
        free = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await free.wait()

        timed = AppTimeouts(app, head=SHORT, idle=LONG, most=2, name="new")
        for _ in range(2):
            with pytest.raises(UpstreamError):
                await timed(http_scope(), Client().receive, Client().send)
        with pytest.raises(Overloaded):
            await timed(http_scope(), Client().receive, Client().send)
        free.set()
        await asyncio.sleep(0.01)
        await timed(http_scope(), Client().receive, Client().send)

    async def test_one_that_is_in_time_is_left_alone(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(START)
            # As long as this is allowed to be.
            await asyncio.sleep(3 * SHORT)
            await send(LAST)
            # What it does for itself concerns no client.
            await asyncio.sleep(3 * SHORT)
            seen.append("done")

        seen: list[str] = []
        assert await Client().ask(app, head=SHORT) == ["http.response.start", "http.response.body"]
        assert seen == ["done"]

    async def test_waiting_for_the_body_does_not_count(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive())["more_body"]:
                pass
            await answer(scope, receive, send)

        client = Client(request(b"1", more=True), request(b"2", more=True), request(b"3"), pause=2 * SHORT)
        assert await client.ask(app, head=SHORT) == ["http.response.start", "http.response.body"]

    async def test_after_the_body_it_does(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive())["more_body"]:
                pass
            # For the news that the client has left, which is no part of a body.
            await receive()

        assert await Client(request(b"1", more=True), request(b"2")).fails(app, head=SHORT) is Failure.HEAD_TIMEOUT

    async def test_one_that_does_not_read_the_body_has_no_longer(self) -> None:
        assert await Client(request(b"1", more=True)).fails(hang, head=SHORT) is Failure.HEAD_TIMEOUT

    @pytest.mark.parametrize("error", [TimeoutError, ValueError])
    async def test_an_error_of_its_own_is_its_own(self, error: type[Exception]) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise error("its own")

        with pytest.raises(error, match="its own"):
            await Client().ask(app)

    async def test_the_servers_word_counts_for_more(self) -> None:
        """A server that ends cancels its requests."""
        seen: list[BaseException] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await hang()
            except asyncio.CancelledError as error:
                seen.append(error)
                raise

        task = asyncio.create_task(Client().ask(app))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(seen) == 1

    async def test_what_an_app_leaves_behind_may_still_speak(self) -> None:
        """A task of its own that outlives the request."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(scope, receive, send)
            left.append(asyncio.create_task(_later(receive, send)))

        left: list[asyncio.Task[None]] = []
        client = Client(request(), {"type": "http.disconnect"})
        await client.ask(app)
        await left[0]
        assert len(client.sent) == 3


async def _later(receive: Receive, send: Send) -> None:
    await asyncio.sleep(0)
    await receive()
    await receive()
    await send(LAST)


class TestIdle:
    async def test_an_answer_that_stands_still(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            await send(PART)
            await hang()

        client = Client()
        assert await client.fails(app, idle=SHORT) is Failure.IDLE_TIMEOUT
        assert client.types == ["http.response.start", "http.response.body"]

    async def test_one_that_stands_still_behind_its_head(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            await hang()

        assert await Client().fails(app, idle=SHORT) is Failure.IDLE_TIMEOUT

    async def test_one_that_goes_on_may_take_long(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            for _ in range(10):
                await asyncio.sleep(SHORT)
                await send(PART)
            await send(LAST)

        # Less than all of it takes, and much more than a part takes, on a busy machine too.
        assert len(await Client().ask(app, idle=8 * SHORT)) == 12

    async def test_a_client_that_takes_its_time_does_not_count(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            await send(PART)
            await send(LAST)

        assert len(await Client(slow=2 * SHORT).ask(app, head=SHORT, idle=SHORT)) == 3

    async def test_nor_does_one_that_is_still_sending(self) -> None:
        """An answer that begins before the request has ended."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(START)
            while (await receive())["more_body"]:
                await send(PART)
            await send(LAST)

        client = Client(request(b"1", more=True), request(b"2"), pause=2 * SHORT)
        assert len(await client.ask(app, idle=SHORT)) == 3


class TestWebSocket:
    async def test_a_handshake_that_is_not_answered(self) -> None:
        client = Client({"type": "websocket.connect"})
        assert await client.fails(hang, head=SHORT, type="websocket") is Failure.HEAD_TIMEOUT

    async def test_one_that_is_accepted_has_no_limit(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            await asyncio.sleep(3 * SHORT)
            await send({"type": "websocket.send", "text": "x"})
            await asyncio.sleep(3 * SHORT)
            await send({"type": "websocket.close"})

        client = Client({"type": "websocket.connect"})
        assert len(await client.ask(app, head=SHORT, idle=SHORT, type="websocket")) == 3
