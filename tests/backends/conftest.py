from __future__ import annotations

from collections.abc import AsyncIterator
from wsgiref.types import WSGIApplication

import pytest

from gateway.backends.wsgi import WsgiApp
from tests.backends.wsgi_apps import Bridge


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    """Makes bridges, and ends their threads after the test."""
    made: list[WsgiApp] = []

    def make(app: WSGIApplication, threads: int = 2, queue: int = 10, name: str = "test") -> WsgiApp:
        made.append(WsgiApp(app, threads=threads, queue=queue, name=name))
        return made[-1]

    yield make
    for app in made:
        await app.stop(grace=5)
