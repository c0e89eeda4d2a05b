"""Keeps web pages away from a listener that only this machine should reach."""

from __future__ import annotations

import ipaddress
import json

from starlette.types import ASGIApp, Receive, Scope, Send


class LoopbackOnly:
    """Answers 421 (RFC 9110 15.5.20) to a request whose Host is no loopback name or address.

    Listening on 127.0.0.1 does not keep browsers out: a page from evil.example can have its own name resolve to
    127.0.0.1 and then read our answers as its own (DNS rebinding). Such a request still says `Host: evil.example`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and is_loopback(hosts[0].decode("latin-1")):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        body = json.dumps(
            {
                "title": "Misdirected Request",
                "status": 421,
                "detail": "The admin page answers to localhost, 127.0.0.1 and [::1] only.",
            }
        ).encode()
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def is_loopback(host: str) -> bool:
    """``host`` is a Host field: a name or address, an IPv6 one in brackets, and perhaps a port."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return False
    else:
        name = host.partition(":")[0]
    if name.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
