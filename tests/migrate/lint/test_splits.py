from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI, WebSocket
from flask import Flask
from starlette.staticfiles import StaticFiles

from tests.migrate.lint.shop import HEAD, flask_app, told

SPLIT = "to: {legacy: 90, new: 10}"
READ = f"  - {{path: /b, methods: [GET], {SPLIT}}}\n"
APART = (
    "'GET /b' is split, too, and has not the group of this route: what one user writes (POST) and reads may be in two "
    "apps"
)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (f"  - {{path: /b, methods: [POST], {SPLIT}}}\n", [APART]),
        (f'  - {{path: "/b/{{id}}", methods: [POST], {SPLIT}}}\n', [APART]),
        (f"  - {{path: /b, methods: [HEAD], {SPLIT}}}\n", []),
        (f"  - {{path: /c, methods: [POST], {SPLIT}}}\n", []),
        ("  - {path: /b, methods: [POST], to: legacy}\n", []),
        (f"  - {{path: /b, methods: [POST], sticky: none, {SPLIT}}}\n", []),
    ],
)
def test_split_apart(other: str, expected: list[str]) -> None:
    assert told("SG501", None, None, READ + other) == expected


def test_one_group_is_not_apart() -> None:
    grouped = READ.replace("}}", "}, group: b}")
    assert told("SG501", None, None, grouped + grouped.replace("GET", "POST")) == []
    assert told("SG501", None, None, grouped + grouped.replace("GET", "POST").replace("group: b", "group: c")) == [
        APART
    ]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (f"methods: [POST], sticky: none, {SPLIT}", ["POST split with `sticky: none`: legacy 90 %, new 10 %"]),
        (f"methods: [GET], sticky: none, {SPLIT}", []),
        (f"methods: [POST], {SPLIT}", []),
        ("methods: [POST], sticky: none, to: new", []),
        (f"sticky: none, {SPLIT}", ["DELETE, PATCH, POST, PUT split with `sticky: none`: legacy 90 %, new 10 %"]),
    ],
)
def test_writes_without_stickiness(route: str, expected: list[str]) -> None:
    assert told("SG502", None, None, f"  - {{path: /b, {route}}}\n") == expected


def test_only_the_methods_that_there_are() -> None:
    routes = f"  - {{path: /b, sticky: none, {SPLIT}}}\n"
    assert told("SG502", flask_app("/b"), None, routes) == []
    assert told("SG502", flask_app("/b", methods=["GET", "PUT"]), None, routes) == [
        "PUT split with `sticky: none`: legacy 90 %, new 10 %"
    ]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (SPLIT, ["files are split by percentage: /static/<path:filename>, /static/{path:path}"]),
        ("to: new", []),
    ],
)
def test_files(tmp_path: Path, route: str, expected: list[str]) -> None:
    old, new = Flask("old", static_folder=str(tmp_path), static_url_path="/static"), FastAPI()
    new.mount("/static", StaticFiles(directory=tmp_path))
    routes = f'  - {{path: "/static/{{file:path}}", {route}}}\n'
    assert told("SG503", old, new, routes) == expected
    assert bool(told("SG503", old, None, routes)) == bool(expected)


@pytest.mark.parametrize(("route", "expected"), [(SPLIT, ["WebSockets are split by percentage: /ws"]), ("to: new", [])])
def test_websockets(route: str, expected: list[str]) -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def ws(websocket: WebSocket) -> None: ...

    assert told("SG504", None, app, f"  - {{path: /ws, {route}}}\n") == expected
    assert told("SG504", None, app, f"  - {{path: /page, {route}}}\n") == []


@pytest.mark.parametrize(
    ("default", "route", "expected"),
    [
        ("new", SPLIT, ["note: if this was 'legacy' before, the users of /b change sides"]),
        ("new", "to: legacy", []),
        ("legacy", SPLIT, []),
    ],
)
def test_the_default(default: str, route: str, expected: list[str]) -> None:
    head = HEAD.replace("default: legacy", f"default: {default}")
    assert told("SG505", None, None, f"  - {{path: /b, {route}}}\n", head) == expected
