from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from starlette.middleware.sessions import SessionMiddleware

from gateway.migrate.flask_csrf import FlaskCsrf
from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware
from gateway.migrate.session_cookie import SessionCookie
from tests.migrate.lint.shop import flask_app, told

MOVED = "  - {path: /form, to: new}\n"
SESSION = FlaskSession(secret_key="k" * 16)


def shop(*, secret: str | None = "s" * 16, csrf: bool = False) -> Flask:
    app = flask_app("/form", methods=("GET", "POST"))
    app.secret_key = secret
    if csrf:
        CSRFProtect(app)
    return app


def starlettes(app: FastAPI) -> None:
    app.add_middleware(SessionMiddleware, secret_key="s" * 16)


def starlettes_own(app: FastAPI) -> None:
    app.add_middleware(SessionMiddleware, secret_key="s" * 16, session_cookie="new_session")


def flasks(app: FastAPI) -> None:
    app.add_middleware(FlaskSessionMiddleware, session=SESSION)


COLLIDE = (
    "the cookie 'session' is Flask's signed cookie in the old app, and the signed cookie of Starlette's "
    "SessionMiddleware in the new one"
)


@pytest.mark.parametrize(
    ("old", "install", "routes", "expected"),
    [
        (shop(), starlettes, MOVED, [COLLIDE]),
        (shop(), starlettes, "  - {path: /form, to: legacy}\n", [f"note: {COLLIDE}"]),
        (shop(), starlettes_own, MOVED, []),
        (shop(), flasks, MOVED, []),
        # Without a key Flask has no session.
        (shop(secret=None), starlettes, MOVED, []),
    ],
)
def test_the_session_cookie(old: Flask, install: Callable[[FastAPI], None], routes: str, expected: list[str]) -> None:
    app = FastAPI()
    install(app)
    assert told("SG601", old, app, routes) == expected


def test_a_session_around_the_app() -> None:
    around: Any = SessionMiddleware(FastAPI(), secret_key="s" * 16)
    assert told("SG601", shop(), around, MOVED) == [COLLIDE]


def test_another_cookie_of_flasks() -> None:
    app, renamed = FastAPI(), FlaskSession(secret_key="k" * 16, cookie=SessionCookie("shop"))
    app.add_middleware(FlaskSessionMiddleware, session=renamed)
    assert told("SG601", shop(), app, MOVED) == []


def form(*dependencies: Any, get: bool = False) -> FastAPI:
    app = FastAPI()
    app.post("/form", dependencies=[Depends(each) for each in dependencies])(lambda: None)
    if get:
        app.get("/form")(lambda: None)
    return app


CSRF = FlaskCsrf(session=SESSION, secret_key="s" * 16)
UNCHECKED = "the old app asks for a CSRF token here, and the new one does not: /form"


@pytest.mark.parametrize(
    ("old", "new", "routes", "expected"),
    [
        (shop(csrf=True), form(), MOVED, [UNCHECKED]),
        (shop(csrf=True), form(CSRF), MOVED, []),
        (shop(), form(), MOVED, []),
        (shop(csrf=True), form(), "  - {path: /form, methods: [GET], to: new}\n", []),
    ],
)
def test_tokens(old: Flask, new: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG602", old, new, routes) == expected


def test_a_dependency_of_a_router_counts() -> None:
    app = FastAPI(dependencies=[Depends(CSRF)])
    app.post("/form")(lambda: None)
    assert told("SG602", shop(csrf=True), app, MOVED) == []


def test_a_view_that_is_exempt() -> None:
    old = shop()
    protection = CSRFProtect(old)
    protection.exempt(old.view_functions["view0"])
    assert told("SG602", old, form(), MOVED) == []


CROSSES = "the form of this page goes to the old app, which wants its own token: /form"
PAGE = "  - {path: /form, methods: [GET], to: new}\n"


@pytest.mark.parametrize(
    ("old", "new", "routes", "expected"),
    [
        (shop(csrf=True), form(get=True), PAGE, [CROSSES]),
        # The new app knows of such tokens.
        (shop(csrf=True), form(CSRF, get=True), PAGE, []),
        (shop(csrf=True), form(get=True), MOVED, []),
        (shop(), form(get=True), PAGE, []),
        (shop(csrf=True), form(get=True), "  - {path: /form, methods: [POST], to: new}\n", []),
    ],
)
def test_a_form_that_crosses_over(old: Flask, new: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG603", old, new, routes) == expected
