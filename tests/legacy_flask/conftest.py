"""Each test has its own copy of a seeded SQLite file; seeding anew each time would be most of the run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Protocol

import pytest
from flask import Flask
from flask.testing import FlaskClient

from legacy_flask import create_app
from legacy_flask.extensions import db
from legacy_flask.third_party import RatesServer

ALICE = {"email": "alice@example.com", "password": "wonderland"}


class MakeApp(Protocol):
    def __call__(self, **overrides: object) -> Flask: ...


class Rates(Protocol):
    def __call__(self, delay: float = 0.0) -> AbstractContextManager[str]: ...


@pytest.fixture(scope="session")
def seeded_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeded") / "bookshop.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{path}")
        create_app()
    return path


@pytest.fixture
def database(seeded_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A seeded database, named by DATABASE_URL."""
    path = tmp_path / "bookshop.db"
    shutil.copy(seeded_database, path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def make_app(database: Path) -> Iterator[MakeApp]:
    apps = []

    def make(**overrides: object) -> Flask:
        apps.append(create_app(overrides))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody."""
    return app.test_client()


@pytest.fixture
def alice(app: Flask) -> FlaskClient:
    """Alice, logged in. By the session, as checking a password is slow on purpose; logging in has its own tests."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "1"
        session["_fresh"] = True
    return client


@pytest.fixture
def rates() -> Rates:
    """A third party on a free port, for as long as the block lasts."""

    @contextmanager
    def running(delay: float = 0.0) -> Iterator[str]:
        with RatesServer(0, delay) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield server.url
            finally:
                server.shutdown()
                thread.join()

    return running


def csrf_token(client: FlaskClient, path: str) -> str:
    """The token in the form of that page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)
    assert found, f"no form on {path}"
    return found[1]
