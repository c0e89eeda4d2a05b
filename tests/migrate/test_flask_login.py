"""Beside Flask-Login itself: what one writes, the other believes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import flask
import httpx
import pytest
from fastapi import FastAPI, Request
from flask_login import LoginManager, UserMixin, decode_cookie, encode_cookie
from hypothesis import given
from hypothesis import strategies as st

from gateway.migrate.flask_login import FlaskLogin, FlaskLoginMiddleware, Protection
from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware

KEYS = st.one_of(st.binary(min_size=1), st.text(st.characters(max_codepoint=255), min_size=1))


async def load_user(name: str) -> str | None:
    return name if name != "nobody" else None


def login_of(key: str | bytes = "k", **settings: object) -> FlaskLogin[str]:
    config = {"SECRET_KEY": key, **settings}
    return FlaskLogin.from_config(config, session=FlaskSession.from_config(config), load_user=load_user)


@given(KEYS, st.text(st.characters(exclude_categories=["Cs"])))
def test_the_remembered_id_is_signed_as_flask_login_signs_it(key: str | bytes, user_id: str) -> None:
    login = login_of(key)
    assert login.encode(user_id) == encode_cookie(user_id, key=key)
    assert login.decode(encode_cookie(user_id, key=key)) == user_id
    assert decode_cookie(login.encode(user_id), key=key) == user_id


@given(st.text())
def test_what_was_not_signed_is_nobody(cookie: str) -> None:
    assert login_of().decode(cookie) is None


def test_the_cookie_has_the_flask_apps_settings() -> None:
    settings = {
        "REMEMBER_COOKIE_NAME": "me",
        "REMEMBER_COOKIE_DOMAIN": "example.com",
        "REMEMBER_COOKIE_PATH": "/shop",
        "REMEMBER_COOKIE_SECURE": True,
        "REMEMBER_COOKIE_HTTPONLY": False,
        "REMEMBER_COOKIE_SAMESITE": "Strict",
        "REMEMBER_COOKIE_DURATION": 60,
    }
    login = login_of("k", **settings)
    assert login.remember_for == timedelta(minutes=1)
    field = login.cookie.set("x", datetime(2030, 1, 1, tzinfo=UTC))
    assert field == (
        "me=x; Domain=example.com; Expires=Tue, 01 Jan 2030 00:00:00 GMT; Secure; Path=/shop; SameSite=Strict"
    )


def legacy(protection: Protection, **settings: object) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY="k", **settings)
    manager = LoginManager(app)
    manager.session_protection = protection

    class User(UserMixin):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self.id = name

    manager.user_loader(lambda name: User(name) if name != "nobody" else None)

    @app.get("/")
    def me() -> dict[str, object]:
        from flask_login import current_user

        return {"name": getattr(current_user, "id", None), "fresh": flask.session.get("_fresh")}

    return app


def new(protection: Protection, **settings: object) -> FastAPI:
    config = {"SECRET_KEY": "k", **settings}
    session = FlaskSession.from_config(config)
    login = FlaskLogin.from_config(config, session=session, load_user=load_user, protection=protection)
    app = FastAPI()
    app.add_middleware(FlaskLoginMiddleware, login=login)
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/")
    async def me(request: Request) -> dict[str, object]:
        return {"name": await login(request), "fresh": (await session(request)).get("_fresh")}

    return app


COOKIES: dict[str, dict[str, object] | None] = {
    "of this browser": {"_user_id": "ann", "_fresh": True, "_id": None},
    "of another browser": {"_user_id": "ann", "_fresh": True, "_id": "other"},
    "permanent, of another browser": {"_user_id": "ann", "_fresh": True, "_id": "other", "_permanent": True},
    "of a user who has gone": {"_user_id": "nobody", "_fresh": True, "_id": "other"},
    "without a login": {"cart": [1]},
    "to be remembered": {"_user_id": "ann", "_fresh": True, "_remember": "set"},
    "remembered for a while": {"_user_id": "ann", "_remember": "set", "_remember_seconds": 90.5},
    "to be forgotten": {"_user_id": "ann", "_remember": "clear"},
    "none": None,
}


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("protection", ["basic", "strong", None])
@pytest.mark.parametrize("remembered", [None, "ann", "nobody"])
@pytest.mark.parametrize("case", COOKIES)
async def test_both_find_the_same_user_and_leave_the_same_session(
    case: str, remembered: str | None, protection: Protection, refresh: bool
) -> None:
    settings = {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": refresh}
    session = FlaskSession(secret_key="k")
    cookies = {}
    data = COOKIES[case]
    if data is not None:
        cookies["session"] = session.dumps({k: v for k, v in data.items() if v is not None} | _mark(data))
    if remembered is not None:
        cookies["remember_token"] = login_of().encode(remembered)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}

    answers = []
    for transport in (
        httpx.WSGITransport(app=legacy(protection, **settings), remote_addr="127.0.0.1"),
        httpx.ASGITransport(app=new(protection, **settings), client=("127.0.0.1", 1)),
    ):
        request = httpx.Request("GET", "http://shop/", headers={"user-agent": "test", **headers})
        if isinstance(transport, httpx.WSGITransport):
            response = transport.handle_request(request)
            response.read()
        else:
            response = await transport.handle_async_request(request)
            await response.aread()
        kept = {}
        for field in response.headers.get_list("set-cookie"):
            name, _, rest = field.partition("=")
            value = rest.partition(";")[0]
            kept[name] = session.loads(value) if name == "session" and value else value
        answers.append((response.json(), kept))
    assert answers[0] == answers[1]


def _mark(data: dict[str, object]) -> dict[str, object]:
    """The mark of this test's own browser, where the case has one of its own."""
    if "_id" not in data or data["_id"] is not None:
        return {}
    from hashlib import sha512

    return {"_id": sha512(b"b'127.0.0.1'|b'test'").hexdigest()}
