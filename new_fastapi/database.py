"""The database: an engine for the application's lifetime, a session for each request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import URL, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from starlette.requests import HTTPConnection

from .models import Base

LOCK_PATIENCE = 20.0  # seconds to wait for another process that is seeding or writing
ADVISORY_LOCK = 0x626F6F6B  # the number the Flask app locks while it creates and seeds

Sessions = async_sessionmaker[AsyncSession]


@asynccontextmanager
async def connected(url: URL) -> AsyncIterator[Sessions]:
    """Sessions on a database that has its tables. Raises sqlalchemy.exc.DBAPIError if it cannot be reached."""
    engine = create_async_engine(url, **_pool(url))
    try:
        await _prepare(engine)
        # Objects stay readable after commit: loading them again would be I/O in a place that cannot await it.
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def database(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    sessions: Sessions = connection.state.sessions
    async with sessions() as session:
        yield session


# Of function scope: the connection goes back to the pool before the response is sent, however slow the client is.
Database = Annotated[AsyncSession, Depends(database, scope="function")]


def _pool(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {} if url.database in (None, "", ":memory:") else {"pool_size": 10, "max_overflow": 40}
    # A server may have dropped a connection that sat in the pool; ask before using it.
    return {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}


async def _prepare(engine: AsyncEngine) -> None:
    """Create what is missing of the schema.

    Whichever app starts first creates it, and the others wait. The sample data is the Flask app's and so is seeding:
    it fills a database that has tables but no members.
    """
    if engine.dialect.name == "sqlite":
        _make_folder(engine.url)
        event.listen(engine.sync_engine, "connect", _set_sqlite_pragmas)
        await _use_write_ahead_log(engine)
    async with _alone(engine) as connection:
        await connection.run_sync(Base.metadata.create_all)


def _make_folder(url: URL) -> None:
    if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _set_sqlite_pragmas(connection: Any, record: object) -> None:
    """The Flask app's settings: wait for its writes, keep its foreign keys."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(LOCK_PATIENCE * 1000)}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


async def _use_write_ahead_log(engine: AsyncEngine) -> None:
    """Let readers and one writer work at the same time; the mode stays with the file.

    SQLite does not wait for busy_timeout when another process is in the middle of the same switch: it fails at once.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            async with engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that no other process of either app can be in at the same time."""
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The driver begins a transaction only before the first INSERT, which leaves CREATE TABLE outside of it.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        try:
            yield connection
        except BaseException:
            await connection.rollback()
            raise
        await connection.commit()
