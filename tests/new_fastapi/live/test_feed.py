from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text

from new_fastapi.database import Sessions, connected
from new_fastapi.live.broadcast import Full
from new_fastapi.live.feed import Feed
from new_fastapi.models import Book, Message
from new_fastapi.settings import database_url

QUICK = 0.01


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    async with connected(database_url(f"sqlite:///{tmp_path / 'bookshop.db'}")) as sessions:
        yield sessions


async def write(sessions: Sessions, *rows: Any) -> None:
    async with sessions() as session:
        session.add_all(rows)
        await session.commit()


def message(body: str, **columns: Any) -> Message:
    return Message(author="Alice", body=body, **columns)


async def test_tells_of_rows_from_now_on_in_any_of_its_tables(sessions: Sessions) -> None:
    await write(sessions, message("before"), Book(title="before", author="A"))
    feed = Feed(sessions, [Message, Book], interval=QUICK)
    async with feed.listening() as listener:
        await write(sessions, message("now"))
        assert (await anext(listener)).body == "now"
        await write(sessions, Book(title="now", author="A"))
        assert (await anext(listener)).title == "now"
    await feed.close()


async def test_a_row_that_appears_late_with_a_lower_id_is_told_once(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=QUICK)
    async with feed.listening() as listener:
        for number in (11, 10, 12):
            await write(sessions, message("", id=number))
            assert (await anext(listener)).id == number
    await feed.close()


async def test_the_id_of_a_deleted_row_may_come_again(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=QUICK)
    async with feed.listening() as listener:
        await write(sessions, message("first", id=1))
        assert (await anext(listener)).body == "first"
        async with sessions() as session:
            await session.execute(delete(Message))
            await session.commit()
        await asyncio.sleep(5 * QUICK)
        await write(sessions, message("second", id=1))
        assert (await anext(listener)).body == "second"
    await feed.close()


async def test_many_rows_at_once_are_all_told_in_order(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=QUICK, backlog=500)
    async with feed.listening() as listener:
        await write(sessions, *(message("", id=number) for number in range(1, 251)))
        assert [(await anext(listener)).id for _ in range(250)] == list(range(1, 251))
    await feed.close()


async def test_a_row_of_this_process_need_not_wait_for_the_interval(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=60)
    async with feed.listening() as listener:
        await asyncio.sleep(QUICK)  # the first look has been
        await write(sessions, message("now"))
        feed.look_now()
        assert (await asyncio.wait_for(anext(listener), 1)).body == "now"
        await asyncio.wait_for(feed.close(), 1)


async def test_nobody_listens_nothing_is_asked(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=QUICK)
    async with feed.listening():
        watcher = feed._watcher
        assert watcher is not None
    await asyncio.wait_for(watcher, 1)
    assert feed._watcher is None
    async with feed.listening() as listener:
        await write(sessions, message("again"))
        assert (await anext(listener)).body == "again"
    await feed.close()


async def test_a_database_that_fails_for_a_while_ends_no_stream(
    sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Feed(sessions, [Message], interval=QUICK)
    async with feed.listening() as listener:
        async with sessions() as session:
            await session.execute(text("ALTER TABLE messages RENAME TO away"))
        while not caplog.records:
            await asyncio.sleep(QUICK)
        async with sessions() as session:
            await session.execute(text("ALTER TABLE away RENAME TO messages"))
        await write(sessions, message("back"))
        assert (await anext(listener)).body == "back"
    await feed.close()


async def test_no_more_than_may_listen(sessions: Sessions) -> None:
    feed = Feed(sessions, [Message], interval=QUICK, most=1)
    async with feed.listening():
        with pytest.raises(Full):
            async with feed.listening():
                pass
    await feed.close()
