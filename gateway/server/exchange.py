"""One request and its answer, as the ASGI app sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp, Message, Scope

from gateway.server.app_log import tell_raised, tell_returned
from gateway.server.direct import Direct
from gateway.server.flow_control import Waiters
from gateway.server.refusal import APP_FAILED, NO_ANSWER, STOPPING, Refusal
from gateway.server.request_head import CHUNKED, RequestHead
from gateway.server.response_head import Fields, write_head, write_hints

if TYPE_CHECKING:
    from gateway.server.listener import Listener
    from gateway.server.protocol import FrontDoor

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# Above this, one more system call is cheaper than copying the content behind its head.
_WORTH_A_COPY = 32 * 1024

# How the client knows the end of the content (RFC 9112 6.3).
_UNDECIDED, _NO_CONTENT, _LENGTH, _CHUNKED, _UNTIL_CLOSE = range(5)


class Exchange:
    """From a request's head to the last byte of its answer. ``receive`` and ``send`` are what the app is called with.

    A response's head is held until its first content comes, for both go out in one write; or until the app lets
    others run before there is any.

    What most requests never change is told by class attributes: it costs them nothing.
    """

    _task: asyncio.Task[None] | None = None
    # Who answers it without a task.
    _direct: Direct | None = None
    _receivers: Waiters | None = None

    # The content that has come and that the app has not taken yet.
    _arrived: list[bytes] | None = None
    _arrived_size = 0
    _request_delivered = False

    # Whether http.response.start has come; whether the whole answer has been written.
    started = False
    answered = False
    # The response's head in pieces, until it is written.
    held: list[bytes] | None = None
    _framing = _UNDECIDED
    # How much of the content-length is to come.
    _left = 0

    # The connection is gone: what the app sends is dropped.
    disconnected = False
    # As far as one can tell. The app is told so, and what it sends all the same is written.
    left_by_client = False

    def __init__(self, connection: FrontDoor, request: RequestHead, scope: Scope) -> None:
        self._connection = connection
        self._request = request
        self.scope = scope
        self.keep_alive = request.keep_alive
        self.request_complete = not request.length
        self._expects_continue = request.expects_continue and not self.request_complete

    # The life of the request.

    def begin(self, listener: Listener) -> None:
        """Let the app begin, in a task unless it has a shorter way."""
        if listener.direct is None:
            self.start(listener.app)
            return
        try:
            listener.direct(self)
        except Exception as error:
            self._raised(error)

    def start(self, app: ASGIApp) -> None:
        """Answer with ``app``, in a task. ``app`` is called with this request alone."""
        tasks = self._connection.server_state.tasks
        if self._direct is not None:
            self._drop_direct()
        self._task = self._connection.listener.loop.create_task(self._run(app))
        tasks.add(self._task)

    def take(self, direct: Direct) -> None:
        """Leave it to ``direct`` to ``answer`` this request or to ``start`` a task for it.

        ``direct`` has the whole ``body`` then: ``receive`` has no more of it.
        """
        self._direct = direct
        self._request_delivered = True
        self._arrived = None
        # Counted as one of the tasks, which the limit on them and the end of the server are about.
        self._connection.server_state.tasks.add(cast(asyncio.Task[None], self))

    def hand_over(self) -> None:
        """The server ends, and knows only how to wait for tasks and to cancel them."""
        if self._direct is not None:
            self._direct.hand_over()

    async def _run(self, app: ASGIApp) -> None:
        try:
            await app(self.scope, self.receive, self.send)
            if not self.answered and not self.disconnected:
                tell_returned(self)
                self.give_up(NO_ANSWER)
        except asyncio.CancelledError:
            # The server ends, and has waited for this request as long as it does. It will not wait for the client.
            self.give_up(STOPPING)
            self._connection.close()
        except BaseException as error:
            # SystemExit among them: one app does not end the server of two.
            self._raised(error)
        finally:
            # Not by a callback of the task: that would be one more turn of the loop for each request.
            assert self._task is not None
            self._connection.server_state.tasks.discard(self._task)
            self._task = None

    def _raised(self, error: BaseException) -> None:
        tell_raised(self, error)
        self.give_up(APP_FAILED)

    def give_up(self, refusal: Refusal) -> None:
        """End an exchange that one side does not complete: with ``refusal``, while no byte of the answer is out."""
        if self.answered or self.disconnected:
            return
        if self.started and self.held is None:
            self._connection.break_off(visibly=self._framing == _UNTIL_CLOSE)
        else:
            self._connection.refuse(refusal, bodiless=self._request.method == "HEAD")

    def disconnect(self) -> None:
        """The connection is gone, or will be after what has been written to it."""
        self.disconnected = True
        self._wake()
        direct = self._direct
        if direct is not None:
            self._drop_direct()
            direct.left()

    def _drop_direct(self) -> None:
        self._direct = None
        self._connection.server_state.tasks.discard(cast(asyncio.Task[None], self))

    def leave(self) -> None:
        """The client seems to have left. Who asks is told so; an answer that comes nevertheless is sent."""
        self.left_by_client = True
        self._wake()
        # An app in a task asks for it, sooner or later.
        self.hand_over()

    def _wake(self) -> None:
        if self._receivers is not None:
            self._receivers.wake()

    # The request.

    def arrive(self, content: bytes, complete: bool) -> int:
        """More of the body. Returns how much of it waits for the app."""
        if content:
            # A client that sends without having been told to go on need not be told any more (RFC 9110 10.1.1).
            self._expects_continue = False
            if self._arrived is None:
                self._arrived = [content]
            else:
                self._arrived.append(content)
            self._arrived_size += len(content)
        if complete:
            self._expects_continue = False
            self.request_complete = True
        self._wake()
        return self._arrived_size

    @property
    def body_length(self) -> int:
        """That of the body: by its head, or of a chunked one that has come and that nobody has taken."""
        length = self._request.length
        return self._arrived_size if length == CHUNKED else length

    @property
    def body(self) -> bytes:
        """What has come of it, and that nobody has taken."""
        return b"" if self._arrived is None else b"".join(self._arrived)

    async def receive(self) -> Message:
        """The ASGI receive: the body as it arrives, then ``http.disconnect`` once the exchange is over."""
        while True:
            if self.disconnected or self.answered or self.left_by_client:
                return {"type": "http.disconnect"}
            if self._arrived is not None:
                content = b"".join(self._arrived)
                self._arrived = None
                self._arrived_size = 0
                if self.request_complete:
                    self._request_delivered = True
                    return {"type": "http.request", "body": content, "more_body": False}
                self._connection.body_taken()
                return {"type": "http.request", "body": content, "more_body": True}
            if self.request_complete and not self._request_delivered:
                self._request_delivered = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if self._expects_continue:
                self._expects_continue = False
                # RFC 9110 10.1.1: not after the final response has begun.
                if not self.started:
                    self._connection.write(CONTINUE)
                self._connection.body_taken()
            if self._receivers is None:
                self._receivers = Waiters()
            await self._receivers.wait()

    # The response.

    def answer(self, status: int, fields: Fields, content: bytes) -> bool:
        """The whole answer to a request that was taken. Returns False, with nothing done, if it would have to wait for
        the client to read what it was sent before. Raises as ``send`` does."""
        if self._connection.flow.write_paused:
            return False
        self._begin(status, fields)
        self._drop_direct()
        if self._framing == _LENGTH and self._left == len(content) <= _WORTH_A_COPY:
            # As _send_content, with all the rest left out: this is what nearly all answers are.
            head = self.held
            assert head is not None
            self.held = None
            head.append(content)
            self._connection.write(b"".join(head))
            self.answered = True
            self._connection.answer_sent()
        else:
            self._send_content(content, more=False)
        return True

    def rest(self) -> None:
        """It has been answered that its client is to come later: until then no more of the client is read."""
        self._connection.rest()

    async def send(self, message: Message) -> None:
        """The ASGI send. Raises RuntimeError for a message out of order or of unknown type, and for content that
        does not fit its content-length; ValueError and TypeError for a head that cannot be sent."""
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.body":
            if self._connection.flow.write_paused:
                await self._connection.flow.writable()
                if self.disconnected:
                    return
            self._send_content(message.get("body", b""), message.get("more_body", False))
        elif kind == "http.response.start":
            if self.started:
                raise RuntimeError("http.response.start was sent twice")
            self._begin(message["status"], message.get("headers", ()))
            self._connection.listener.release_soon(self)
        elif kind == "http.response.early_hint":
            self._hint(message["links"])
        else:
            raise RuntimeError(f"the ASGI message {kind!r} is not known")

    def _begin(self, status: int, fields: Fields) -> None:
        connection = self._connection
        head, length, close = write_head(status, fields, connection.default_fields())
        # RFC 9110 10.1.1: a client that was not told to go on sends its body all the same, or does not.
        if close or self._expects_continue or (not self.request_complete and connection.has_much_to_drain()):
            self.keep_alive = False
        if not self.keep_alive:
            head.append(b"\r\nConnection: close")
        # RFC 9112 6.3: these have no content, whatever their fields say.
        if self._request.method == "HEAD" or status == 204 or status == 304:
            self._framing = _NO_CONTENT
            head.append(b"\r\n\r\n")
        elif length is not None:
            self._framing = _LENGTH
            self._left = length
            head.append(b"\r\n\r\n")
        self.started = True
        self.held = head

    def _hint(self, links: Iterable[bytes]) -> None:
        """ASGI "Early Hints", at any time before the head of the answer is out. RFC 9110 15.2: not in HTTP/1.0."""
        if (self.held is not None or not self.started) and not self._request.http_1_0:
            self._connection.write(write_hints(links))

    def release(self) -> None:
        """Send the head, if it still waits for content: there may be none for long, as in an event stream."""
        if self.held is not None and not self.disconnected:
            head = self._take_head(more=True)
            self._connection.write(b"".join(head))

    def take_back(self) -> bool:
        """Forget the head, if it still waits for content."""
        if self.held is None or self.disconnected:
            return False
        self.held = None
        self.started = False
        self._framing = _UNDECIDED
        return True

    def _take_head(self, more: bool, size: int = 0) -> list[bytes]:
        """The pieces of the head, whole; none if it has gone out. ``size`` is that of the content behind it, and
        ``more`` whether that is not all."""
        head = self.held
        if head is None:
            return []
        self.held = None
        if self._framing == _UNDECIDED:
            if not more:
                # All of the content in one message: its length is known after all.
                self._framing = _LENGTH
                head.append(b"\r\nContent-Length: %d\r\n\r\n" % size)
            elif self._request.http_1_0:
                # RFC 9112 7.1: no chunks for who does not know them. The end of the connection ends the content.
                self._framing = _UNTIL_CLOSE
                head.append(b"\r\n\r\n")
            else:
                self._framing = _CHUNKED
                head.append(b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        return head

    def _send_content(self, content: bytes, more: bool) -> None:
        if self.answered or not self.started:
            raise RuntimeError("http.response.body was sent where there is no response")
        size = len(content)
        if self._framing == _LENGTH:
            left = self._left - size
            if left < 0 or (left and not more):
                # Nothing of this message is written: a wrong length must never look like a whole answer.
                raise RuntimeError("the content is not as long as the response's content-length says")
            self._left = left
        pieces = self._take_head(more, size)
        framing = self._framing
        if framing == _CHUNKED:
            # RFC 9112 7.1. A chunk of size 0 would end the content.
            if size:
                pieces += (b"%x\r\n" % size, content, b"\r\n")
            if not more:
                pieces.append(b"0\r\n\r\n")
        elif size and framing != _NO_CONTENT:
            pieces.append(content)
        if pieces:
            if size <= _WORTH_A_COPY:
                self._connection.write(b"".join(pieces))
            else:
                self._connection.write_all(pieces)
        if not more:
            self.answered = True
            if self._receivers is not None:
                self._receivers.wake()
            self._connection.answer_sent()
