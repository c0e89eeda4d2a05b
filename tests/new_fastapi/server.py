"""The new app on a real server and a real port, for what in-process transports cannot show: streams and WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI


@dataclass(frozen=True)
class Running:
    """``address`` is HOST:PORT; ``state`` what the app's lifespan gave."""

    address: str
    state: dict[str, Any]


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[Running]:
    """Runs ``app``. Connections that are still open at the end are closed."""
    config = uvicorn.Config(
        app, port=0, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=1, access_log=False
    )
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    task = asyncio.create_task(server.serve([socket]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            assert not task.done(), "the app did not start"
        yield Running(f"127.0.0.1:{socket.getsockname()[1]}", server.lifespan.state)
    finally:
        server.should_exit = True
        await task
        socket.close()
