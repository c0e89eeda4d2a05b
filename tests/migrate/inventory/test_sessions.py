from __future__ import annotations

from pathlib import Path
from typing import Any

from cachelib import FileSystemCache
from fastapi import FastAPI
from flask import Flask
from flask_session import Session as FlaskSessionExtension
from starlette.middleware.sessions import SessionMiddleware

from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware
from gateway.migrate.inventory.endpoint import SessionUse
from gateway.migrate.inventory.reader import inventory_of


def sessions(app: Any) -> list[SessionUse]:
    return list(inventory_of(app, "app").sessions)


def test_flasks_own() -> None:
    app = Flask("shop")
    assert sessions(app) == []
    app.secret_key = "s"
    assert sessions(app) == [SessionUse("session", "flask")]
    app.config["SESSION_COOKIE_NAME"] = "shop"
    assert sessions(app) == [SessionUse("shop", "flask")]


def test_a_session_on_the_server(tmp_path: Path) -> None:
    app = Flask("shop")
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=FileSystemCache(str(tmp_path)))
    FlaskSessionExtension(app)
    assert sessions(app) == [SessionUse("session", "server")]


def test_middleware_of_the_app_and_around_it() -> None:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="s", session_cookie="inner")
    around = SessionMiddleware(FlaskSessionMiddleware(app, FlaskSession(secret_key="s")), secret_key="s")
    assert sessions(around) == [
        SessionUse("inner", "starlette"),
        SessionUse("session", "flask"),
        SessionUse("session", "starlette"),
    ]
    assert sessions(FastAPI()) == []
