"""Apps in this process that do not answer in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask

from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import get

HEAD = 0.05


class Late:
    """The same app twice. It answers when ``free`` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = 0
        self.apps: dict[str, Any] = {"flask": Flask("late"), "fastapi": FastAPI(), "fastapi async": FastAPI()}
        self.apps["flask"].get("/a")(self.hang)
        self.apps["fastapi"].get("/a")(self.hang)
        self.apps["fastapi async"].get("/a")(self.hang_in_the_loop)

    def hang(self) -> str:
        self.begun += 1
        self.free.wait(10)
        return "late"

    async def hang_in_the_loop(self) -> str:
        self.begun += 1
        await asyncio.sleep(10)
        return "late"


@pytest.fixture
def late() -> Iterator[Late]:
    late = Late()
    yield late
    late.free.set()


def legacy() -> Flask:
    app = Flask("legacy")
    app.get("/a")(lambda: "legacy")
    return app


@asynccontextmanager
async def served(app: Any, **route: object) -> AsyncIterator[tuple[Gateway, SlotFile]]:
    slots = SlotFile()
    backends = {"legacy": {}, "new": {"timeouts": {"head": HEAD}}}
    data = {"version": 1, "default": "legacy", "backends": backends, "routes": [{"path": "/a", "to": "new", **route}]}
    gateway = Gateway.from_dict(data, apps={"legacy": legacy(), "new": app}, slots=slots)
    await gateway.start()
    try:
        yield gateway, slots
    finally:
        await gateway.stop()


@pytest.mark.parametrize("kind", ["flask", "fastapi", "fastapi async"])
async def test_the_client_is_told(late: Late, kind: str) -> None:
    async with served(late.apps[kind]) as (gateway, slots):
        answer = await get(gateway, "/a")
        late.free.set()
    assert answer.status == 504
    assert answer.json["detail"] == "The application did not begin its answer in time."
    assert late.begun == 1
    failed = {labels: values[0] for labels, values in slots.items() if labels[0] == "upstream_failures"}
    assert failed == {("upstream_failures", "/a", "new", "head", "head_timeout"): 1}


@pytest.mark.parametrize("kind", ["flask", "fastapi", "fastapi async"])
async def test_the_fallback_answers(late: Late, kind: str) -> None:
    async with served(late.apps[kind], fallback="legacy") as (gateway, slots):
        answer = await get(gateway, "/a")
        late.free.set()
    assert (answer.status, answer.body) == (200, b"legacy")
    assert [values[0] for labels, values in slots.items() if labels[0] == "fallbacks" and "timeout" in labels] == [1]
    assert {values[0] for labels, values in slots.items() if labels[0] == "in_flight"} == {0}


async def test_the_breaker_spares_users_the_waiting(late: Late) -> None:
    async with served(late.apps["flask"], fallback="legacy", breaker={"consecutive": 2}) as (gateway, _):
        for _ in range(6):
            assert (await get(gateway, "/a")).body == b"legacy"
        late.free.set()
    assert late.begun == 2
