"""``head``: HEAD is answered wherever GET is. FastAPI answers 405."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Asks for GET where HEAD is not allowed, and leaves the content out (RFC 9110 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        refused = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 405:
                refused = True
            elif not refused:
                await send(message)

        # The app may write to its scope.
        await self.app(dict(scope), receive, send_unless_refused)
        if refused:
            await self.app({**scope, "method": "GET"}, receive, _WithoutContent(send).send)


class _WithoutContent:
    """Sends the head; the content ends with its first part: however long it is, nobody waits for it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._over = False

    async def send(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
        elif not self._over:
            self._over = True
            await self._send({"type": "http.response.body", "body": b""})
