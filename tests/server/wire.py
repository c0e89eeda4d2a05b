"""The front door without a socket: what it reads comes by a call, and what it writes is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from gateway.server.protocol import FrontDoor


class Wire(asyncio.Transport):
    """A transport of which the test reads what is written, and that holds back what is sent while reading pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closing = True


def connected(app: ASGIApp, **settings: Any) -> tuple[FrontDoor, Wire]:
    """A front door before ``app``, with a client on the wire."""
    defaults = {"interface": "asgi3", "lifespan": "off", "proxy_headers": False, "log_config": None}
    config = uvicorn.Config(app, **{**defaults, **settings})
    config.load()
    door, wire = FrontDoor(config, ServerState(), {}, asyncio.get_running_loop()), Wire()
    door.connection_made(wire)
    return door, wire
