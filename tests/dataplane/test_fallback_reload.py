"""A fallback that the file no longer names, or names in another way, while a request may yet come to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from starlette.types import Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import get
from tests.upstream.scripted import eventually

ROUTES = """\
version: 1
backends:
  legacy: {app: "unused:legacy", threads: %d}
  new: {app: "unused:new"}
default: legacy
routes:
  - path: /a
    to: new
    fallback: legacy
"""


class New:
    """Fails when it is told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.fails = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        self.entered.set()
        await self.fails.wait()
        raise ValueError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES % 1)
    return path


async def test_it_is_not_stopped_before_that_request_is_over(file: Path) -> None:
    legacy, new = Flask("legacy"), New()
    legacy.add_url_rule("/a", view_func=lambda: "legacy")
    apps: dict[str, Any] = {"legacy": legacy, "new": new}
    gateway = Gateway.from_file(file, apps=apps, watch=False)
    await gateway.start()
    try:
        asking = asyncio.create_task(get(gateway, "/a"))
        await new.entered.wait()
        file.write_text(ROUTES % 2)
        assert (await gateway.reload()).outcome == "applied"
        # Longer than it takes to stop one that nobody needs.
        await asyncio.sleep(0.15)
        new.fails.set()
        answer = await asking
        assert (answer.status, answer.body) == (200, b"legacy")
        registry = gateway._runtime._registry
        await eventually(lambda: len(registry.backends) == 2)
        assert [backend.in_flight for backend in registry.backends] == [0, 0]
    finally:
        await gateway.stop()
