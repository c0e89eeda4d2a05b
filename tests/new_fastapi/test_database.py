"""Either app may start first, or both at once, and the schema is one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import Dialect, MetaData, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from legacy_flask.extensions import Base as LegacyBase
from new_fastapi.database import connected
from new_fastapi.models import Base, Book, User
from new_fastapi.settings import Settings, database_url
from tests.new_fastapi.conftest import legacy_app


def ddl(metadata: MetaData, dialect: Dialect) -> dict[str, list[str]]:
    return {
        table.name: sorted(
            [str(CreateTable(table).compile(dialect=dialect))]
            + [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
        )
        for table in metadata.tables.values()
    }


@pytest.mark.parametrize("dialect", [sqlite, postgresql], ids=["sqlite", "postgresql"])
def test_the_schema_is_that_of_the_flask_app(dialect: ModuleType) -> None:
    assert ddl(Base.metadata, dialect.dialect()) == ddl(LegacyBase.metadata, dialect.dialect())


async def test_started_first_it_makes_the_tables_and_the_flask_app_fills_them(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "bookshop.db"
    async with connected(database_url(f"sqlite:///{file}")) as sessions:
        async with sessions() as session:
            assert (await session.scalars(select(User))).all() == []
        with legacy_app(file):
            pass
        async with sessions() as session:
            assert len((await session.scalars(select(User))).all()) == 3


async def test_started_together_on_nothing_they_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    url = database_url(f"sqlite:///{tmp_path / 'bookshop.db'}")

    async def start_new() -> None:
        async with connected(url):
            pass

    def start_legacy() -> None:
        with legacy_app(tmp_path / "bookshop.db"):
            pass

    await asyncio.gather(asyncio.to_thread(start_legacy), *(start_new() for _ in range(4)))
    async with connected(url) as sessions, sessions() as session:
        assert len((await session.scalars(select(Book))).all()) == 52


async def test_sqlite_waits_for_other_writers_and_keeps_foreign_keys(tmp_path: Path) -> None:
    async with connected(database_url(f"sqlite:///{tmp_path / 'bookshop.db'}")) as sessions, sessions() as session:
        pragmas = [
            await session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]
    assert pragmas == ["wal", 20_000, 1]


async def test_a_database_in_memory_works_for_a_try(tmp_path: Path) -> None:
    async with connected(database_url("sqlite:///:memory:")) as sessions, sessions() as session:
        assert (await session.scalars(select(Book))).all() == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://u:p@db/shop", "postgresql+asyncpg://u:p@db/shop"),
        ("postgres://u:p@db/shop", "postgresql+asyncpg://u:p@db/shop"),
        ("postgresql+psycopg://u:p@db/shop?sslmode=require", "postgresql+asyncpg://u:p@db/shop?ssl=require"),
        ("sqlite:////srv/shop.db", "sqlite+aiosqlite:////srv/shop.db"),
        ("sqlite://", "sqlite+aiosqlite://"),
    ],
)
def test_one_database_url_serves_both_apps(given: str, expected: str) -> None:
    assert database_url(given).render_as_string(hide_password=False) == expected


def test_a_relative_path_is_the_same_file_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert database_url("sqlite:///shop.db").database == str(tmp_path / "shop.db")


def test_the_default_database_and_key_are_those_of_the_flask_app() -> None:
    from legacy_flask.config import from_environment

    legacy, new = from_environment({}), Settings.from_environment({})
    url = legacy["SQLALCHEMY_DATABASE_URI"]
    assert new.database_url.database == getattr(url, "database")  # noqa: B009
    assert new.secret_key == legacy["SECRET_KEY"]
    assert new.third_party_url == legacy["THIRD_PARTY_URL"]
    assert new.largest_body == legacy["MAX_CONTENT_LENGTH"]


def test_the_environment_is_read_as_the_flask_app_reads_it() -> None:
    settings = Settings.from_environment(
        {
            "BOOKSHOP_SECRET_KEY": "new",
            "BOOKSHOP_SECRET_KEY_FALLBACKS": "older, old,,",
            "BOOKSHOP_SECURE_COOKIES": "1",
            "DATABASE_URL": "sqlite:////srv/shop.db",
            "THIRD_PARTY_URL": "http://127.0.0.1:1",
        }
    )
    assert (settings.secret_key, settings.secret_key_fallbacks, settings.secure_cookies) == (
        "new",
        ("older", "old"),
        True,
    )
    assert (settings.database_url.database, settings.third_party_url) == ("/srv/shop.db", "http://127.0.0.1:1")
    assert "new" not in repr(settings).replace("new_fastapi", "")
