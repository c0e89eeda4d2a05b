"""The measured apps answer what the load generator expects of them, without a server in between."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest

from benchmarks import reload, slow_flask
from benchmarks.apps import books_fastapi, books_flask, which
from benchmarks.embedded_fastapi import ROUTES
from gateway.config.loader import load_file, load_text


@pytest.mark.parametrize("path", ["/books/7", "/catalogue/7"])
async def test_fastapi_app(path: str) -> None:
    transport = httpx.ASGITransport(books_fastapi.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.example") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.content) == (200, books_fastapi.BOOK)


def test_flask_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books_flask, "SLOW_SECONDS", 0)
    client = books_flask.app.test_client()
    assert client.get("/legacy/books/7").data == books_flask.BOOK
    assert client.get("/legacy/slow").data == books_flask.SLOW


@pytest.mark.parametrize("name", ["blue", "green"])
async def test_named_apps(name: str) -> None:
    transport = httpx.ASGITransport(getattr(which, name))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.example") as client:
        assert (await client.get("/which")).text == name


def test_the_measured_routes_are_twenty_and_go_where_the_tables_say() -> None:
    config = load_file(ROUTES).config
    to = {route.path: route.to for route in config.routes if route.methods in (None, ("GET",))}
    assert len(config.routes) == 20
    assert to["/books/{id}"] == "new"
    assert to["/catalogue/{id}"] == {"new": 50, "twin": 50}
    assert to["/legacy/{rest:path}"] == "legacy"


def test_the_reloaded_file_is_valid_before_and_after() -> None:
    assert [load_text(reload.routes_text(to, 1)).config.routes[0].to for to in ("blue", "green")] == ["blue", "green"]


def test_the_short_queue_is_in_the_changed_file() -> None:
    backend = load_text(slow_flask.with_queue(ROUTES.read_text(), 16, 100)).config.backends["legacy"]
    assert (backend.threads, backend.queue) == (16, 100)


async def test_named_apps_complete_their_lifespan() -> None:
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(asked)

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message["type"])

    await which.blue({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
