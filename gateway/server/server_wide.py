"""The answer to ``OPTIONS *``, which asks about the server as a whole (RFC 9110 9.3.7)."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send


async def answer_for_the_server(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 204: the server is there.

    An ASGI app. No route can match ``*``, for it is not a path, and neither of the apps behind us is "the server":
    so nobody but the front door can answer.
    """
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
