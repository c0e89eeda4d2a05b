"""Beside Flask-Session itself: the same changes in the same order leave the same cookie and the same store."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask
import httpx
import msgspec
import pytest
from cachelib import SimpleCache
from fastapi import FastAPI, Request
from flask_session import Session as FlaskSessionExtension

from gateway.migrate.flask_session import FlaskSessionMiddleware
from gateway.migrate.server_session import ServerSession
from gateway.migrate.session_store import CachelibStore, RedisStore

SID = "s" * 43


class Cache(SimpleCache):
    """Remembers for how long it was asked to keep a session."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, int | timedelta | None] = {}

    def set(self, key: str, value: Any, timeout: int | timedelta | None = None) -> bool | None:
        self.kept[key] = timeout
        return super().set(key, value, timeout)


def change(session: Any, operations: Sequence[str]) -> None:
    for operation in operations:
        name, _, value = operation.partition("=")
        match name:
            case "get":
                session.get(value)
            case "set":
                session[value] = 1
            case "pop":
                session.pop(value, None)
            case "clear":
                session.clear()
            case "permanent":
                session.permanent = value == "yes"


def legacy(cache: Cache, operations: Sequence[str], settings: dict[str, Any]) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY="k", SESSION_TYPE="cachelib", SESSION_CACHELIB=cache, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of SESSION_USE_SIGNER, which is still in use
        FlaskSessionExtension(app)

    @app.get("/")
    def view() -> str:
        change(flask.session, operations)
        return ""

    return app


def new(cache: Cache, operations: Sequence[str], settings: dict[str, Any]) -> FastAPI:
    config = {"SECRET_KEY": "k", "SESSION_TYPE": "cachelib", "SESSION_CACHELIB": cache, **settings}
    session = ServerSession.from_config(config)
    app = FastAPI()
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/")
    async def view(request: Request) -> str:
        change(await session(request), operations)
        return ""

    return app


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"SESSION_PERMANENT": False},
        {"SESSION_REFRESH_EACH_REQUEST": False},
        {"SESSION_KEY_PREFIX": "shop:", "PERMANENT_SESSION_LIFETIME": timedelta(hours=1)},
        {"SESSION_COOKIE_NAME": "shop", "SESSION_COOKIE_SAMESITE": "Lax", "SESSION_COOKIE_PATH": "/shop"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "operations",
    [
        ["get=a"],
        ["set=a"],
        ["set=a", "pop=a"],
        ["pop=kept"],
        ["clear"],
        ["clear", "set=a"],
        ["permanent=no", "set=a"],
        ["permanent=yes"],
    ],
    ids="+".join,
)
@pytest.mark.parametrize("stored", [None, {"kept": 1}, {"kept": 1, "_permanent": True}, {"_permanent": True}], ids=repr)
async def test_both_leave_the_same_store_and_cookie(
    stored: dict[str, Any] | None, operations: list[str], settings: dict[str, Any]
) -> None:
    prefix = settings.get("SESSION_KEY_PREFIX", "session:")
    name = settings.get("SESSION_COOKIE_NAME", "session")
    left = []
    for make in (legacy, new):
        cache = Cache()
        if stored is not None:
            cache.set(prefix + SID, stored)
            cache.kept.clear()
        headers = {"cookie": f"{name}={SID}"} if stored is not None else {}
        app = make(cache, operations, settings)
        request = httpx.Request("GET", "http://shop/", headers=headers)
        if isinstance(app, flask.Flask):
            response = httpx.WSGITransport(app=app).handle_request(request)
        else:
            response = await httpx.ASGITransport(app=app).handle_async_request(request)
        cookies = []
        for field in response.headers.get_list("set-cookie"):
            _, *attributes = field.split("; ")
            value = field.partition("=")[2].partition(";")[0]
            # The id of a new session is anybody's guess, and the time goes on.
            kind = "known" if value == SID else "none" if not value else "new"
            cookies.append((kind, sorted(a.partition("=")[0] for a in attributes)))
        sessions = sorted(
            ("known" if key == prefix + SID else "new", key.startswith(prefix), cache.get(key), cache.kept.get(key))
            for key in [*cache._cache]
        )
        left.append((cookies, sessions))
    ours, flasks = left[1], left[0]
    # Flask-Session lets HttpOnly and SameSite fall when it deletes the cookie, which browsers do not mind.
    if flasks[0] and flasks[0][0][0] == "none":
        ours = ([(kind, [a for a in names if a in flasks[0][0][1]]) for kind, names in ours[0]], ours[1])
    assert ours == flasks


async def test_an_id_that_nobody_has_given_out_is_not_taken_over() -> None:
    """Or who planted it would share the login that follows."""
    cache = Cache()
    app = new(cache, ["set=a"], {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
        await client.get("/", headers={"cookie": "session=planted"})
    assert "session:planted" not in cache._cache
    assert len(cache._cache) == 1


async def test_ids_are_signed_where_the_flask_app_signs_them() -> None:
    cache = Cache()
    settings = {"SESSION_USE_SIGNER": True}
    cookie = legacy(cache, ["set=a"], settings).test_client().get("/").headers["Set-Cookie"].partition(";")[0]
    value = cookie.partition("=")[2]
    config = {"SECRET_KEY": "k", "SESSION_TYPE": "cachelib", "SESSION_CACHELIB": cache, **settings}
    session = ServerSession.from_config(config)
    assert (await session.open(value, read_only=False)).get("a") == 1
    assert (await session.open(value + "x", read_only=False)).get("a") is None


async def test_another_id_after_a_login() -> None:
    cache = Cache()
    cache.set("session:" + SID, {"kept": 1})
    session = ServerSession(store=CachelibStore(cache))
    opened = await session.open(SID, read_only=False)
    await session.regenerate(opened)
    assert opened.sid != SID
    assert opened.modified
    assert not cache.has("session:" + SID)


class Memory:
    """What RedisStore calls of a client, blocking."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.values.get(name)


@pytest.mark.parametrize("written", ["msgpack", "json"])
async def test_both_formats_are_read_whichever_is_written(written: Any) -> None:
    client = Memory()
    client.values = {
        "a": msgspec.msgpack.encode({"x": 1}),
        "b": msgspec.json.encode({"x": 2}),
        "c": b"\x80\x04}\x94.",  # a pickle
        "d": b"[1]",
    }
    store = RedisStore(client, written)
    assert [await store.get(key) for key in "abcde"] == [{"x": 1}, {"x": 2}, None, None, None]


async def test_sessions_in_files_are_found(tmp_path: Path) -> None:
    config = {"SECRET_KEY": "k", "SESSION_TYPE": "filesystem", "SESSION_FILE_DIR": str(tmp_path)}
    app = flask.Flask(__name__)
    app.config.update(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        FlaskSessionExtension(app)

    @app.get("/")
    def view() -> str:
        flask.session["a"] = 1
        return ""

    cookie = app.test_client().get("/").headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert (await ServerSession.from_config(config).open(cookie, read_only=False)).get("a") == 1


@pytest.mark.parametrize("kind", [None, "null", "mongodb"])
def test_other_stores_are_refused_by_name(kind: str | None) -> None:
    with pytest.raises(ValueError, match=repr(kind)):
        ServerSession.from_config({"SECRET_KEY": "k", "SESSION_TYPE": kind})
