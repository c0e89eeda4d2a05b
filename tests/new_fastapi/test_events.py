from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from new_fastapi import create_app
from new_fastapi.live.feed import Feed
from tests.new_fastapi.conftest import Apps, legacy_app, new_settings
from tests.new_fastapi.exchange import Ask, ask_legacy, ask_new
from tests.new_fastapi.server import serving

JSON = {"Content-Type": "application/json"}


class Stream:
    """An event stream as a browser reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> dict[str, str]:
        """The next event's fields; a comment is the field with no name."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        raise EOFError


@asynccontextmanager
async def listening(client: httpx.AsyncClient, last_event_id: str | None = None) -> AsyncIterator[Stream]:
    headers = {} if last_event_id is None else {b"Last-Event-ID": last_event_id.encode()}
    async with client.stream("GET", "/events/catalogue", headers=headers) as response:
        yield Stream(response)


def position(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT max(id) FROM {}"
        return "-".join(str(*connection.execute(query.format(t)).fetchone()) for t in ("books", "products", "items"))


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(seeded, tmp_path / "bookshop.db"))


@pytest.fixture
async def client(database: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(new_settings(database))
    async with serving(app) as running, httpx.AsyncClient(base_url=f"http://{running.address}") as client:
        session = app.state.session.dumps({"_user_id": "1"})
        client.headers["Cookie"] = f"session={session}"
        yield client


async def post(client: httpx.AsyncClient, path: str, data: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(path, json=data)
    assert response.status_code == 201
    row: dict[str, Any] = response.json()
    return row


EMMA = {"title": "Emma", "author": "Jane Austen"}
COPY = {"book_id": 1, "condition": "good", "price": 4.5}


async def test_the_stream_opens_at_once_and_says_where_it_stands(client: httpx.AsyncClient, database: Path) -> None:
    async with listening(client) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-cache"
        opening = await stream.event()
    assert opening == {"": "listening to the catalogue", "retry": "2000", "id": position(database)}


async def test_what_is_added_is_told_as_the_api_shows_it(client: httpx.AsyncClient, database: Path) -> None:
    async with listening(client) as stream:
        await stream.event()
        book = await post(client, "/books", EMMA)
        item = await post(client, "/items", COPY)
        told = [await stream.event(), await stream.event()]
    assert {each["event"]: json.loads(each["data"]) for each in told} == {"book": book, "item": item}
    assert told[-1]["id"] == position(database)


async def test_what_the_flask_app_adds_is_told_too(client: httpx.AsyncClient, database: Path) -> None:
    async with listening(client) as stream:
        await stream.event()
        with legacy_app(database) as legacy:
            ask = Ask("POST", "/books", json.dumps(EMMA).encode(), {**JSON, "Cookie": client.headers["Cookie"]})
            answer = await asyncio.to_thread(ask_legacy, legacy, ask)
        told = await stream.event()
    assert (answer.status, json.loads(told["data"])) == (201, json.loads(answer.body))


async def test_who_comes_back_is_told_what_it_missed_and_nothing_twice(client: httpx.AsyncClient) -> None:
    async with listening(client) as stream:
        await stream.event()
        await post(client, "/books", EMMA)
        last = (await stream.event())["id"]
    missed = [await post(client, "/items", COPY), await post(client, "/books", EMMA)]
    async with listening(client, last) as stream:
        await stream.event()
        told = [json.loads((await stream.event())["data"]) for _ in missed]
        later = await post(client, "/books", EMMA)
        assert json.loads((await stream.event())["data"]) == later
    assert told == missed


@pytest.mark.parametrize("last", ["", "x", "1-2", "1-2-3-4", "-1-2-3", "99999999999-1-1", "1-1-1\u0661"])
async def test_a_last_event_id_that_is_none_of_ours_starts_anew(
    client: httpx.AsyncClient, database: Path, last: str
) -> None:
    async with listening(client, last) as stream:
        assert (await stream.event())["id"] == position(database)


async def test_a_client_that_goes_leaves_nothing_behind(database: Path) -> None:
    async with serving(create_app(new_settings(database))) as running:
        feed: Feed = running.state["catalogue"]
        async with httpx.AsyncClient(base_url=f"http://{running.address}") as client, listening(client) as stream:
            await stream.event()
            assert len(feed) == 1
        async with asyncio.timeout(2):
            while len(feed):
                await asyncio.sleep(0.01)


async def test_too_many_listeners_are_refused_before_the_stream_begins(twins: Apps) -> None:
    state = {**twins.state, "catalogue": Feed(twins.state["sessions"], [], most=0)}
    answer = await ask_new(twins.new, state, Ask("GET", "/events/catalogue"))
    assert (answer.status, json.loads(answer.body)["error"]) == (503, "Too many are listening already.")
