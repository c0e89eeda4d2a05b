"""Creating and filling the database, safely when several processes start at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from .extensions import Base
from .seed import seed

LOCK_PATIENCE = 20.0  # seconds to wait for another process that is seeding or writing
ADVISORY_LOCK = 0x626F6F6B  # "book": any number that every process of this application agrees on


def prepare(engine: Engine) -> None:
    """Create what is missing of the schema and seed an empty database.

    Every worker of both apps calls this at its start; one of them does the work, the others wait for it and find it
    done. Needs no Flask app. Raises OperationalError when the database cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        _make_folder(engine)
        event.listen(engine, "connect", _set_sqlite_pragmas)
        _use_write_ahead_log(engine)
    with _alone(engine) as connection:
        Base.metadata.create_all(connection)
        with Session(bind=connection) as session:
            seed(session)
    if not isinstance(engine.pool, StaticPool):  # which holds a database in memory, gone when disposed
        # A server may load the app and then fork; processes must not share a connection.
        engine.dispose()


def _make_folder(engine: Engine) -> None:
    name = engine.url.database
    if name and name != ":memory:" and not name.startswith("file:"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)


def _set_sqlite_pragmas(connection: SqliteConnection, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(LOCK_PATIENCE * 1000)}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log, NORMAL can lose the last commits in a power cut but cannot corrupt the file.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _use_write_ahead_log(engine: Engine) -> None:
    """Let readers and one writer work at the same time. The mode is a property of the file and stays with it.

    The switch wants the file for itself, and SQLite does not wait for busy_timeout here: it fails at once when
    another process is in the middle of the same switch.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process can be in at the same time."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver begins a transaction only before the first INSERT, so that CREATE TABLE would be outside
            # of it. AUTOCOMMIT stops it from beginning any, and ours takes the write lock from the start.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
