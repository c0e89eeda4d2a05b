"""Gateways before embedded apps: two that say who they are and what they got, and one that fails."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import RawHeaders


class Echo:
    """An ASGI app that says who it is and what it got."""

    def __init__(self, name: str, headers: RawHeaders = ()) -> None:
        self.name = name
        self.headers = headers
        self.events: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.events.append("start")
            scope["state"]["who"] = self.name
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.events.append("stop")
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": [(b"x-who", self.name.encode())]})
            return
        body = json.dumps(
            {
                "who": self.name,
                "path": scope["path"],
                "raw_path": scope["raw_path"].decode(),
                "root_path": scope["root_path"],
                "state": scope["state"],
                "headers": [[k.decode(), v.decode()] for k, v in scope["headers"]],
            }
        ).encode()
        headers = [(b"content-type", b"application/json"), *self.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("secret detail")


def config(*routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 1, "default": "legacy", "routes": list(routes), **more}


class Serving:
    """Starts gateways, and stops them when the test is over."""

    def __init__(self, legacy: Echo, new: Echo) -> None:
        self._apps = {"legacy": legacy, "new": new}
        self._started: list[Gateway] = []

    async def __call__(self, data: dict[str, Any], **apps: Any) -> Gateway:
        gateway = Gateway.from_dict(data, apps={**self._apps, **apps})
        await gateway.start()
        self._started.append(gateway)
        return gateway

    async def stop(self) -> None:
        for gateway in self._started:
            await gateway.stop()
