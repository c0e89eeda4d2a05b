"""Both apps in this process, on databases that are copies of one seeded file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import flask
import pytest
from fastapi import FastAPI
from sqlalchemy import URL

import legacy_flask
from legacy_flask.extensions import db
from new_fastapi import create_app
from new_fastapi.application import State, lifespan
from new_fastapi.settings import Settings, database_url

SECRET_KEY = "key of the tests"


@dataclass
class Apps:
    """A legacy and a new app, started."""

    legacy: flask.Flask
    new: FastAPI
    state: State
    """What the new app's lifespan gave; a server copies it into every scope."""


@contextmanager
def legacy_app(database: Path, **overrides: object) -> Iterator[flask.Flask]:
    url = URL.create("sqlite", database=str(database))
    app = legacy_flask.create_app({"SECRET_KEY": SECRET_KEY, "SQLALCHEMY_DATABASE_URI": url, **overrides})
    app.logger.disabled = True  # of tracebacks that tests provoke
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def new_settings(database: Path, **settings: object) -> Settings:
    return Settings(database_url=database_url(f"sqlite:///{database}"), secret_key=SECRET_KEY, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the Flask app makes it. Copy it, do not use it."""
    path = tmp_path_factory.mktemp("seeded") / "bookshop.db"
    with legacy_app(path):
        pass
    with sqlite3.connect(path) as connection:
        # Everything into the one file, for copying.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture
async def twins(seeded: Path, tmp_path: Path) -> AsyncIterator[Apps]:
    """The apps on a database each, equal at first: the same writes give both the same ids."""
    legacy_file, new_file = (Path(shutil.copy(seeded, tmp_path / name)) for name in ("legacy.db", "new.db"))
    async with AsyncExitStack() as stack:
        legacy = stack.enter_context(legacy_app(legacy_file))
        new = create_app(new_settings(new_file))
        yield Apps(legacy, new, await stack.enter_async_context(lifespan(new)))


@pytest.fixture
async def shared(seeded: Path, tmp_path: Path) -> AsyncIterator[Apps]:
    """The apps on one database, as they run in production."""
    file = Path(shutil.copy(seeded, tmp_path / "bookshop.db"))
    async with AsyncExitStack() as stack:
        legacy = stack.enter_context(legacy_app(file))
        new = create_app(new_settings(file))
        yield Apps(legacy, new, await stack.enter_async_context(lifespan(new)))
