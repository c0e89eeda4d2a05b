"""The new backend for a worker's own process: it fails in the way that a request names."""

from __future__ import annotations

import contextlib

from starlette.types import Message, Receive, Scope, Send

from tests.faults import fast_app


async def _hang(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return
    match dict(scope["headers"]).get(b"x-fault", b"").decode():
        case "hang before head":
            await _hang(receive)
        case "fail before head":
            raise RuntimeError("no answer of mine")
        case "no answer":
            return
        case "":
            await fast_app.app(scope, receive, send)
        case fault:

            async def half(message: Message) -> None:
                """The head as it is, and of the body what does not suffice."""
                if message["type"] == "http.response.start":
                    await send(message)
                    return
                await send({**message, "body": message["body"][:-5], "more_body": True})
                if fault == "hang mid body":
                    await _hang(receive)
                if fault == "fail mid body":
                    raise RuntimeError("no more of mine")
                raise Stop

            with contextlib.suppress(Stop):
                await fast_app.app(scope, receive, half)


class Stop(Exception):
    """The app returns in the middle of its answer."""
