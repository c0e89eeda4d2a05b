from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from new_fastapi import create_app
from new_fastapi.live.feed import Feed
from new_fastapi.models import Message as Row
from new_fastapi.routers.chat import LONGEST
from tests.new_fastapi.conftest import Apps, new_settings
from tests.new_fastapi.server import Running, serving

Join = Callable[..., AbstractAsyncContextManager[ClientConnection]]


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(seeded, tmp_path / "bookshop.db"))


@pytest.fixture
async def running(database: Path) -> AsyncIterator[Running]:
    async with serving(create_app(new_settings(database))) as running:
        yield running


@pytest.fixture
def join(running: Running) -> Join:
    """Opens a WebSocket as the member with that id, or as a guest."""

    def join(member: int | None = None, running: Running = running, **options: Any) -> connect:
        sign = create_app(new_settings(Path("none"))).state.session.dumps
        headers = {} if member is None else {"Cookie": f"session={sign({'_user_id': str(member)})}"}
        return connect(f"ws://{running.address}/ws/chat", additional_headers=headers, proxy=None, **options)

    return join


async def receive(socket: ClientConnection) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 5))
    return data


async def say(socket: ClientConnection, body: object) -> None:
    await socket.send(json.dumps({"body": body}))


async def test_who_is_logged_in_has_a_name_and_is_heard_by_all(join: Join) -> None:
    async with join(1) as alice, join() as guest:
        assert await receive(alice) == {"type": "welcome", "name": "Alice Liddell", "messages": []}
        assert await receive(guest) == {"type": "welcome", "name": None, "messages": []}
        await say(alice, "  Has anyone seen a rabbit? \U0001f407 ")
        heard = await receive(alice)
        assert heard == await receive(guest)
        assert (heard["type"], heard["author"]) == ("message", "Alice Liddell")
        assert heard["body"] == "Has anyone seen a rabbit? \U0001f407"


async def test_guests_may_read_and_not_write(join: Join) -> None:
    async with join() as guest, join(2) as bob:
        await receive(guest)
        await receive(bob)
        await say(guest, "psst")
        assert await receive(guest) == {"type": "error", "error": "Log in to write."}
        await say(bob, "hello")
        assert (await receive(guest))["body"] == "hello"


async def test_who_comes_later_reads_what_was_said(join: Join) -> None:
    async with join(1) as alice:
        await receive(alice)
        for number in range(3):
            await say(alice, f"line {number}")
            await receive(alice)
    async with join() as guest:
        welcome = await receive(guest)
    assert [message["body"] for message in welcome["messages"]] == ["line 0", "line 1", "line 2"]


async def test_the_room_is_one_for_all_processes(join: Join, database: Path) -> None:
    """Workers share no memory: here two servers on one database."""
    async with serving(create_app(new_settings(database))) as other, join(1) as alice, join(2, other) as bob:
        await receive(alice)
        await receive(bob)
        await say(bob, "from over there")
        assert (await receive(alice))["body"] == "from over there"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'{"body": "binary"}', "Send JSON."),
        ("hello", "Send JSON."),
        ("[" * 100_000, "Send JSON."),
        ("[]", "Send a message."),
        ("{}", "Send a message."),
        ('{"body": 5}', "Send a message."),
        ('{"body": " "}', "Send a message."),
        ('{"body": "a\\u0000b"}', "Send text, without control characters."),
        ('{"body": "\\ud800"}', "Send text, without control characters."),
        (json.dumps({"body": "x" * (LONGEST + 1)}), "At most 1000 characters."),
    ],
    ids=lambda value: repr(value[:20]),
)
async def test_what_is_no_message_is_refused_and_the_room_stays(join: Join, text: str | bytes, error: str) -> None:
    async with join(1) as alice:
        await receive(alice)
        await alice.send(text)
        assert await receive(alice) == {"type": "error", "error": error}
        await say(alice, "x" * LONGEST)
        assert (await receive(alice))["type"] == "message"


async def test_pages_of_other_sites_cannot_join_in_a_members_name(join: Join, running: Running) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with join(1, origin="https://evil.example"):
            pass
    async with join(1, origin=f"http://{running.address}") as alice:
        assert (await receive(alice))["name"] == "Alice Liddell"


async def test_when_the_room_is_full_the_next_is_told_to_try_later(twins: Apps) -> None:
    sent: list[dict[str, Any]] = []
    state = {**twins.state, "chat": Feed(twins.state["sessions"], [Row], most=0)}
    await converse(twins, state, sent)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert sent[-1]["code"] == 1013


async def test_who_does_not_read_is_dropped_and_the_others_are_not(twins: Apps) -> None:
    feed = Feed(twins.state["sessions"], [Row], backlog=3, interval=0.01)
    state = {**twins.state, "chat": feed}
    stuck: list[dict[str, Any]] = []
    slow = asyncio.create_task(converse(twins, state, stuck, takes=2))
    async with feed.listening() as quick:
        while len(stuck) < 2:
            await asyncio.sleep(0.01)
        for number in range(6):
            async with twins.state["sessions"]() as session:
                session.add(Row(author="Alice", body=str(number)))
                await session.commit()
            assert (await anext(quick)).body == str(number)
        await asyncio.wait_for(slow, 5)
        assert len(feed) == 1
    assert [message["type"] for message in stuck] == ["websocket.accept", "websocket.send"]
    await feed.close()


async def converse(apps: Apps, state: dict[str, Any], sent: list[dict[str, Any]], takes: int = 100) -> None:
    """A client that says nothing and takes so many messages; its connection then accepts no more, and never fails."""
    incoming = asyncio.Queue[dict[str, Any]]()
    incoming.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        if len(sent) >= takes:
            await asyncio.Event().wait()
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws/chat",
        "query_string": b"",
        "headers": [],
        "state": dict(state),
        "subprotocols": [],
    }
    await apps.new(scope, incoming.get, send)


async def test_the_page_is_there_to_try_it_with(running: Running) -> None:
    async with httpx.AsyncClient(base_url=f"http://{running.address}") as client:
        page = await client.get("/chat")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'new URL("ws/chat", location.href)' in page.text
