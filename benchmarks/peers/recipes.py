"""The two recipes for a proxy in Python that one finds: an HTTP client behind an ASGI app, on uvicorn."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from benchmarks.load import Address
from benchmarks.peers.peer import Peer
from benchmarks.server import Server, free_port, running


def _recipe(name: str, module: str, modules: tuple[str, ...]) -> Peer:
    @contextlib.contextmanager
    def serve(upstream: Address) -> Iterator[Server]:
        port = free_port()
        command = [sys.executable, "-m", module, str(port), f"http://{upstream[0]}:{upstream[1]}"]
        with running(name, command, port) as server:
            yield server

    return Peer(name, serve, modules=modules)


HTTPX = _recipe("httpx recipe", "benchmarks.apps.httpx_recipe", ("httpx", "starlette", "uvicorn"))
AIOHTTP = _recipe("aiohttp recipe", "benchmarks.apps.aiohttp_recipe", ("aiohttp", "starlette", "uvicorn"))
