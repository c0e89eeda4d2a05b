"""What the rules say of the two frameworks is so: each is asked."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask, session
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware
from tests.migrate.lint.shop import flask_app, told


async def statuses(old: Flask, new: FastAPI, method: str, path: str) -> tuple[int, int]:
    """What the old app and the new one answer to one request."""
    flask = old.test_client().open(path, method=method)
    response = await _ask(new, method, path)
    return flask.status_code, response.status_code


async def _ask(app: FastAPI, method: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path, headers=headers)


def books(path: str = "/b/{x}") -> FastAPI:
    app = FastAPI()

    @app.get(path)
    def book(x: int) -> None: ...

    return app


WIDE = '  - {path: "/b/{x}", to: new}\n'
OLD = flask_app("/b/<int:x>")
BOTH_SLASHES = '  - {path: "/b/", to: new}\n'


@pytest.mark.parametrize(
    ("code", "old", "new", "routes", "request_line", "expected"),
    [
        ("SG101", OLD, books(), WIDE, "HEAD /b/1", (200, 405)),
        ("SG102", OLD, books(), WIDE, "OPTIONS /b/1", (200, 405)),
        ("SG105", OLD, books(), WIDE, "DELETE /b/x", (404, 405)),
        ("SG301", OLD, books(), WIDE, "GET /b/x", (404, 422)),
        ("SG302", OLD, books(), WIDE, "GET /b/-1", (404, 200)),
        ("SG303", flask_app("/b/<x>"), books(), WIDE, "GET /b/x", (200, 422)),
        ("SG303", flask_app("/b/<x>"), books("/b/{x:int}"), WIDE, "GET /b/x", (200, 404)),
        ("SG104", OLD, FastAPI(), WIDE, "GET /b/1", (200, 404)),
    ],
)
async def test_what_is_answered(
    code: str, old: Flask, new: FastAPI, routes: str, request_line: str, expected: tuple[int, int]
) -> None:
    assert told(code, old, new, routes)
    method, path = request_line.split()
    assert await statuses(old, new, method, path) == expected


async def test_redirects() -> None:
    old, new = flask_app("/b/"), FastAPI()
    new.get("/b")(lambda: None)
    assert told("SG202", old, new, BOTH_SLASHES)
    # The route sends /b/ to the new app, which redirects to /b, which goes to the old one.
    there = await _ask(new, "GET", "/b/")
    assert (there.status_code, there.headers["location"]) == (307, "http://localhost/b")
    back = old.test_client().get("/b")
    assert (back.status_code, back.location) == (308, "http://localhost/b/")


@pytest.mark.parametrize("shared", [False, True])
async def test_a_session_cookie_of_the_other(shared: bool) -> None:
    old, new = flask_app("/b"), FastAPI()
    old.secret_key = key = "s" * 16
    old.add_url_rule("/login", "login", lambda: session.update(user=1) or "")
    flask_session = FlaskSession(secret_key=key)
    if shared:
        new.add_middleware(FlaskSessionMiddleware, session=flask_session)

        @new.get("/b")
        async def flasks(request: Request) -> int | None:
            user: int | None = (await flask_session(request)).get("user")
            return user
    else:
        new.add_middleware(SessionMiddleware, secret_key=key)

        @new.get("/b")
        async def starlettes(request: Request) -> int | None:
            user: int | None = request.session.get("user")
            return user

    cookie = old.test_client().get("/login").headers["set-cookie"].partition(";")[0]
    seen = (await _ask(new, "GET", "/b", {"cookie": cookie})).json()
    found = told("SG601", old, new, "  - {path: /b, to: new}\n")
    assert (seen, bool(found)) == ((1, False) if shared else (None, True))
