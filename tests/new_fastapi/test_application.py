from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from new_fastapi import create_app
from tests.new_fastapi.conftest import Apps, new_settings
from tests.new_fastapi.exchange import Ask, ask_both, ask_new


def test_importing_the_app_touches_no_database_and_nothing_of_flask(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import asyncio, sys
        for name in ("flask", "werkzeug", "flask_login", "flask_sqlalchemy", "flask_wtf", "legacy_flask"):
            sys.modules[name] = None  # an import of it raises ImportError
        from new_fastapi import app

        async def run():
            async with app.router.lifespan_context(app) as state:
                async with state["sessions"]() as session:
                    pass

        import os
        assert not os.path.exists("shop.db")
        asyncio.run(run())
        assert os.path.exists("shop.db")
    """)
    root = str(Path(__file__).resolve().parents[2])
    environment = {"DATABASE_URL": "sqlite:///shop.db", "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30, cwd=tmp_path, env=environment)


@pytest.fixture
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = create_app(new_settings(Path("none"))).openapi()
    return document


def test_openapi_names_what_the_api_has(openapi: dict[str, Any]) -> None:
    assert {path: set(methods) for path, methods in openapi["paths"].items()} == {
        "/books": {"get", "post"},
        "/books/{book_id}": {"get", "put", "delete"},
        "/users": {"get", "post"},
        "/users/{user_id}": {"get"},
        "/items": {"get", "post"},
        "/items/{item_id}": {"get"},
        "/products/search": {"get"},
        "/me": {"get"},
        "/sessions": {"post", "delete"},
        "/external-data": {"get"},
        "/events/catalogue": {"get"},
    }


def test_openapi_tells_what_is_on_the_wire(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    assert schemas["BookOut"]["properties"]["created_at"]["examples"] == ["Thu, 02 Jan 2025 09:30:00 GMT"]
    assert schemas["ItemOut"]["properties"]["price"]["type"] == "string"
    assert schemas["BookIn"]["properties"]["title"]["maxLength"] == 200
    assert schemas["BookIn"]["required"] == ["title", "author"]
    item = openapi["paths"]["/items"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert item["properties"]["condition"]["enum"] == ["new", "fine", "good", "worn"]
    errors = openapi["paths"]["/books"]["post"]["responses"]
    assert "422" not in errors  # this API never answers so
    assert errors["4XX"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("target", ["/docs", "/redoc", "/openapi.json", "/chat"])
async def test_the_pages_that_flask_did_not_have(twins: Apps, target: str) -> None:
    assert (await ask_new(twins.new, twins.state, Ask("GET", target))).status == 200


@pytest.mark.parametrize("cookie", [{}, {"_user_id": "1"}, {"_user_id": "1", "_permanent": True}])
async def test_a_crash_is_answered_alike_and_keeps_the_session(
    twins: Apps, tmp_path: Path, cookie: dict[str, Any]
) -> None:
    for name in ("legacy.db", "new.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.execute("DROP TABLE items")
    headers = {"Content-Type": "application/json", "Cookie": f"session={twins.new.state.session.dumps(cookie)}"}
    item = json.dumps({"book_id": 1, "condition": "good", "price": 1}).encode()
    for ask in (Ask("GET", "/items", headers=headers), Ask("POST", "/items", item, headers)):
        legacy, new = await ask_both(twins, ask)
        assert (new.status, new.body) == (legacy.status, legacy.body)
        sessions = [
            twins.new.state.session.loads(answer.headers.get("set-cookie", "").partition("=")[2].partition(";")[0])
            for answer in (legacy, new)
        ]
        assert sessions[0] == sessions[1]
    assert new.status == (500 if cookie else 401)
    assert new.headers["vary"] == legacy.headers["vary"] == "Cookie"


async def test_a_body_that_does_not_say_its_length_is_read_no_further_than_the_limit(twins: Apps) -> None:
    sent: list[Message] = []
    chunks = 0

    async def receive() -> Message:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/users",
        "query_string": b"",
        "headers": headers,
        "state": dict(twins.state),
    }
    await twins.new(scope, receive, send)
    assert (sent[0]["status"], chunks) == (413, 11)
