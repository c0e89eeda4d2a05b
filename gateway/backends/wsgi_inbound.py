"""What comes from the client of one request: its body, and the news that it has gone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

from starlette.types import Receive

from gateway.backends.wsgi_input import BodyPipe, ClientDisconnected, input_stream


async def gather(receive: Receive, length: int) -> bytes | None:
    """The whole of a small body, cut at its declared ``length``. None if the client left before it was complete."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if message.get("more_body", False) and len(body) < length:
        chunks = [body]
        size = len(body)
        while message.get("more_body", False) and size < length:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        body = b"".join(chunks)
    if len(body) < length:
        return None
    return body[:length]


class Inbound:
    """Calls ``receive``, in a task of its own, once there is a reason to.

    The reasons: the app reads a body that was not gathered; the response is streamed, or the request has to wait for
    a thread, so that it matters when the client goes. ``on_gone`` is called when it has gone.

    A body that the app does not read is taken in up to the read-ahead, and no further. A client that goes while more
    than that is unread is not noticed here: no ASGI server tells of it before it has told of the body.
    """

    def __init__(self, receive: Receive, on_gone: Callable[[], None]) -> None:
        self._receive = receive
        self._on_gone = on_gone
        self._pipe: BodyPipe | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self.gone = False

    def input(self, length: int | None) -> io.BufferedReader:
        """``wsgi.input`` for a body that comes as the app reads it; ``length`` is None for a chunked one."""
        self._pipe = BodyPipe(asyncio.get_running_loop(), length, self.watch)
        return input_stream(self._pipe)

    def watch(self) -> None:
        """Begin to call ``receive``, if that has not begun."""
        if self._task is None and not self._stopped:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def watch_after(self, seconds: float) -> None:
        """Begin in ``seconds``: an ordinary request is over by then, and costs a timer and no task."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self.watch)

    async def stop(self) -> None:
        """End the task. What the app still reads from an incomplete body is an error from here on."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        # All three refer back to this object (a task keeps the traceback of its cancellation). Let go of them, or the
        # buffers of every body stay until the garbage collector comes by.
        pipe, self._pipe = self._pipe, None
        task, self._task = self._task, None
        self._on_gone = _nobody_asks
        if pipe is not None:
            pipe.fail(ClientDisconnected("the request is over"))
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        pipe = self._pipe
        more = True
        try:
            while True:
                if pipe is not None and more:
                    await pipe.room()
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    break
                if not more:
                    return  # ASGI has nothing but a disconnect after the body; do not ask such a server for ever
                more = message.get("more_body", False)
                if pipe is not None:
                    pipe.feed(message.get("body", b""), more)
            error = ClientDisconnected("the client has gone")
        except Exception as raised:
            # A limit on the body, say. The app's read is where it belongs.
            error = ClientDisconnected("the body cannot be received")
            error.__cause__ = raised
        self.gone = True
        if pipe is not None:
            pipe.fail(error)
        self._on_gone()


def _nobody_asks() -> None:
    pass
