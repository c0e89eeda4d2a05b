from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message

from gateway.config.loader import load_text
from gateway.config.problem import Problem
from gateway.control.admin import events as module
from gateway.control.admin.events import MOST_LISTENERS, Events, EventStream
from gateway.control.admin.problem import Refusal
from gateway.control.admin.running import Running
from tests.control.admin.conftest import ROUTES, Worker


@pytest.fixture(autouse=True)
async def at_work(events: Events, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A look every few milliseconds, so that the tests need not wait for seconds to pass."""
    monkeypatch.setattr(module, "_LOOK", 0.002)
    monkeypatch.setattr(module, "_STATUS", 0.01)
    work = asyncio.create_task(events.run())
    yield
    work.cancel()


class Client:
    """Reads a stream at its own pace."""

    def __init__(self, events: Events) -> None:
        self.messages: list[Message] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self._left = asyncio.Event()
        self._told = asyncio.Event()
        self.task = asyncio.create_task(EventStream(events)({"type": "http"}, self._receive, self._send))

    async def told(self, *names: str) -> list[tuple[str, Any]]:
        """The events so far, as soon as they end with ``names``."""
        async with asyncio.timeout(5):
            while [name for name, _ in self.events()][-len(names) :] != list(names):
                self._told.clear()
                await self._told.wait()
        return self.events()

    def events(self) -> list[tuple[str, Any]]:
        text = b"".join(message.get("body", b"") for message in self.messages).decode()
        blocks = [block.split("\n") for block in text.split("\n\n") if block]
        return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]

    def leave(self) -> None:
        self._left.set()

    async def _receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self.messages.append(message)
        self._told.set()


async def test_who_joins_is_told_the_status_at_once(events: Events) -> None:
    client = Client(events)
    ((_, status),) = await client.told("status")
    assert status["config"]["version"] == 1
    assert dict(client.messages[0]["headers"])[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert b"content-length" not in dict(client.messages[0]["headers"])
    client.leave()
    await client.task


async def test_a_status_that_has_not_changed_is_not_told_again(events: Events) -> None:
    client = Client(events)
    await client.told("status")
    await asyncio.sleep(0.1)
    assert len(client.events()) <= 2
    client.leave()
    await client.task


async def test_silence_is_broken_now_and_then(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENCE", 0.02)
    client = Client(events)
    await client.told("status", "status", "status")
    client.leave()
    await client.task


async def test_figures_are_told_as_they_change(
    events: Events, worker: Worker, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.control.figures.sampler._FRESH", 0.0)
    client = Client(events)
    await client.told("status")
    worker.serve(3, "/books/new", "new")
    async with asyncio.timeout(5):
        while client.events()[-1][1]["routes"][0]["backends"]["new"]["requests"] != 3:
            await asyncio.sleep(0.005)
    client.leave()
    await client.task


async def test_a_version_and_a_refusal_are_told_before_the_status_that_shows_them(
    events: Events, running: Running
) -> None:
    client = Client(events)
    await client.told("status")
    running.live.loaded, running.live.version = load_text(ROUTES + "# 2\n"), 2
    told = await client.told("change", "status")
    assert told[-2][1]["version"] == told[-1][1]["config"]["version"] == 2
    running.live.problems = (Problem("routes.yaml", 3, 1, "is wrong"),)
    told = await client.told("rejected", "status")
    assert told[-2][1]["problems"] == ["routes.yaml:3:1: is wrong"]
    assert told[-1][1]["config"]["state"] == "rejected"
    client.leave()
    await client.task


async def test_who_leaves_is_forgotten(events: Events) -> None:
    client = Client(events)
    await client.told("status")
    assert events.listeners == 1
    client.leave()
    await client.task
    assert events.listeners == 0


async def test_everybody_is_sent_home_at_the_end(events: Events) -> None:
    clients = [Client(events), Client(events)]
    for client in clients:
        await client.told("status")
    events.close()
    async with asyncio.timeout(1):
        for client in clients:
            await client.task
            assert client.messages[-1] == {"type": "http.response.body", "body": b""}
    with pytest.raises(Refusal):
        events.join()


async def test_there_are_only_so_many(events: Events) -> None:
    for _ in range(MOST_LISTENERS):
        events.join()
    with pytest.raises(Refusal) as caught:
        EventStream(events)
    assert caught.value.problem.status == 503


async def test_a_slow_reader_gets_the_newest_status_and_not_every_one(events: Events, running: Running) -> None:
    client = Client(events)
    await client.told("status")
    client.reads.clear()
    for version in range(2, 6):
        running.live.version = version
        await asyncio.sleep(0.03)
    client.reads.set()
    told = await client.told("change", "status")
    assert told[-1][1]["config"]["version"] == 5
    assert [name for name, _ in told].count("change") == 4
    assert [name for name, _ in told].count("status") <= 4
    client.leave()
    await client.task


async def test_a_reader_that_takes_nothing_is_dropped(
    events: Events, running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    client = Client(events)
    await client.told("status")
    client.reads.clear()
    running.live.version = 2
    async with asyncio.timeout(5):
        await client.task
    assert events.listeners == 0
    assert "is dropped" in caplog.text


async def test_what_waits_for_a_reader_is_bounded(events: Events, running: Running) -> None:
    listener = events.join()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while not listener.ended:
                running.live.version += 1
                await asyncio.sleep(0.003)
    assert listener.ended
