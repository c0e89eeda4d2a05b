"""New rows of some tables, told to listeners soon after they appear.

The rows come from any process and from either app, so the database is asked, a few times a second and only while
someone listens. SQLite can do no better; PostgreSQL's NOTIFY could, when the Flask app is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Sessions
from .broadcast import Broadcast, Listener

log = logging.getLogger(__name__)

# Ids are given out before rows are committed, so a row can appear after one with a higher id. So far back is looked.
OVERLAP = 32
MOST_AT_ONCE = 100


class Feed:
    """Rows of ``tables``, models with an ``id``. ``interval`` is the pause between two looks, in seconds."""

    def __init__(
        self, sessions: Sessions, tables: Sequence[Any], *, interval: float = 0.25, most: int = 200, backlog: int = 64
    ) -> None:
        self._sessions = sessions
        self._tables = [_Tail(table) for table in tables]
        self._interval = interval
        self._broadcast: Broadcast[Any] = Broadcast(most=most, backlog=backlog)
        self._wake = asyncio.Event()
        self._starting = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._broadcast)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener[Any]]:
        """Rows that appear from now on. Raises broadcast.Full."""
        with self._broadcast.listening() as listener:
            async with self._starting:
                if self._watcher is None:
                    async with self._sessions() as session:
                        for tail in self._tables:
                            await tail.start(session)
                    self._watcher = asyncio.create_task(self._watch())
            yield listener

    def look_now(self) -> None:
        """Do not wait for the interval: this process has written a row."""
        self._wake.set()

    async def close(self) -> None:
        """End every listener, and the watching."""
        self._broadcast.close()
        if self._watcher is not None:
            self._closed = True
            self._wake.set()
            await self._watcher

    async def _watch(self) -> None:
        # Not cancelled when the last listener goes: that could break off a query and spoil its connection.
        try:
            while len(self._broadcast) and not self._closed:
                await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._interval)
                self._wake.clear()
        finally:
            self._watcher = None

    async def _look(self) -> None:
        try:
            async with self._sessions() as session:
                for tail in self._tables:
                    for row in await tail.new_rows(session):
                        self._broadcast.publish(row)
        except SQLAlchemyError:
            # The database may be back before the listeners have given up.
            log.exception("cannot look for new rows; trying again")


@dataclass
class _Tail:
    """Where one table has been read to."""

    table: Any
    floor: int = 0
    seen: frozenset[int] = frozenset()

    async def start(self, session: AsyncSession) -> None:
        last = await session.scalar(select(func.max(self.table.id))) or 0
        self.floor = max(0, last - OVERLAP)
        self.seen = frozenset(await session.scalars(select(self.table.id).where(self.table.id > self.floor)))

    async def new_rows(self, session: AsyncSession) -> list[Any]:
        rows = (
            await session.scalars(
                select(self.table).where(self.table.id > self.floor).order_by(self.table.id).limit(MOST_AT_ONCE)
            )
        ).all()
        new = [row for row in rows if row.id not in self.seen]
        # Only what is there now: SQLite gives the id of a deleted last row to the next one.
        self.seen = frozenset(row.id for row in rows)
        if rows:
            self.floor = max(self.floor, rows[-1].id - OVERLAP)
        return new
