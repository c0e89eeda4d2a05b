from __future__ import annotations

import multiprocessing
import os
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from legacy_flask import create_app
from legacy_flask.database import prepare
from legacy_flask.extensions import Base, db
from legacy_flask.models import Item, Message, User, utc_now

ROWS = {"users": 3, "books": 52, "products": 60, "items": 24, "orders": 1500, "order_lines": 3668, "messages": 0}


def rows(url: str) -> dict[str, int]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in Base.metadata.tables.items()
            }
    finally:
        engine.dispose()


def prepare_at(url: str) -> None:
    engine = create_engine(url)
    prepare(engine)
    engine.dispose()


def start_app(url: str, barrier: Barrier) -> None:
    os.environ["DATABASE_URL"] = url
    barrier.wait(30)
    create_app()


def test_creates_the_folder_and_the_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'folder' / 'shop.db'}"
    prepare_at(url)
    assert rows(url) == ROWS


def test_a_second_start_adds_nothing(database: Path) -> None:
    before = database.read_bytes()
    prepare_at(f"sqlite:///{database}")
    assert rows(f"sqlite:///{database}") == ROWS
    assert database.read_bytes() == before


def test_what_was_changed_stays_changed(database: Path) -> None:
    url = f"sqlite:///{database}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM items"))
    engine.dispose()
    prepare_at(url)
    assert rows(url)["items"] == 0


def test_many_threads_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    failures: list[BaseException] = []

    def start() -> None:
        try:
            prepare_at(url)
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(url) == ROWS


def test_many_processes_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [context.Process(target=start_app, args=(url, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert rows(url) == ROWS


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"

    def fail_late(session: Session) -> bool:
        session.add(User(email="half@example.com", name="Half", password_hash=""))
        session.flush()
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("legacy_flask.database.seed", fail_late)
    engine = create_engine(url)
    with pytest.raises(RuntimeError, match="the disk is full"):
        prepare(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0
    engine.dispose()


def test_the_seed_is_always_the_same(database: Path, tmp_path: Path) -> None:
    def content(path: Path) -> list[object]:
        engine = create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            found: list[object] = [
                connection.execute(select(*[column for column in table.c if column.name != "password_hash"])).all()
                for table in Base.metadata.sorted_tables
            ]
        engine.dispose()
        return found

    again = tmp_path / "again.db"
    prepare_at(f"sqlite:///{again}")
    assert content(again) == content(database)


def test_memory_keeps_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite://")
    app = create_app()
    assert app.test_client().get("/books/1").status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_sqlite_is_set_up_for_many_processes(app: Flask) -> None:
    with app.app_context():
        pragma = {
            name: db.session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragma == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 20_000, "synchronous": 1}


def test_foreign_keys_hold(app: Flask) -> None:
    with app.app_context():
        db.session.add(Item(book_id=999, seller_id=1, condition="good", price=Decimal(1)))
        with pytest.raises(IntegrityError):
            db.session.commit()


def test_a_reader_does_not_stop_a_writer(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as reader, db.engine.connect() as writer:
        cursor = reader.execution_options(yield_per=1).execute(text("SELECT id FROM order_lines"))
        cursor.fetchone()
        writer.execute(insert(Message).values(author="Alice", body="Hello", created_at=utc_now()))
        writer.commit()
        assert cursor.fetchone() is not None
