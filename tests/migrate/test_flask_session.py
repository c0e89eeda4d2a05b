"""Both directions of the cookie, keys, age and forgery, and what the dependency and the middleware promise."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any
from unittest.mock import patch

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware, Session
from tests.migrate.session_values import sessions

secret_keys = st.one_of(st.text(min_size=1, max_size=6), st.binary(min_size=1, max_size=6))


def flask_app(secret_key: str | bytes = "key", fallbacks: list[str | bytes] | None = None) -> Flask:
    app = Flask("legacy")
    app.config.update(SECRET_KEY=secret_key, SECRET_KEY_FALLBACKS=fallbacks)
    return app


def flask_serializer(app: Flask) -> URLSafeTimedSerializer:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return serializer


def flask_writes(app: Flask, data: dict[str, Any]) -> str:
    with app.app_context():
        return flask_serializer(app).dumps(data)


def flask_reads(app: Flask, cookie: str) -> dict[str, Any]:
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}) as context:
        return dict(context.session)


@settings(deadline=None)
@given(sessions, secret_keys)
def test_reads_what_flask_wrote(data: dict[str, Any], key: str | bytes) -> None:
    assert FlaskSession(secret_key=key).loads(flask_writes(flask_app(key), data)) == data


@settings(deadline=None)
@given(sessions, secret_keys)
def test_flask_reads_what_we_wrote(data: dict[str, Any], key: str | bytes) -> None:
    assert flask_reads(flask_app(key), FlaskSession(secret_key=key).dumps(data)) == data


@settings(deadline=None)
@given(sessions, st.integers(0, 2**34))
def test_at_the_same_second_both_write_the_same_cookie(data: dict[str, Any], now: int) -> None:
    with patch.object(TimestampSigner, "get_timestamp", return_value=now):
        assert FlaskSession(secret_key="key").dumps(data) == flask_writes(flask_app(), data)


@pytest.mark.parametrize("length", [1, 400])
def test_long_sessions_are_compressed_both_ways(length: int) -> None:
    data = {"text": "long " * length}
    ours, theirs = FlaskSession(secret_key="key").dumps(data), flask_writes(flask_app(), data)
    assert ours.startswith(".") == theirs.startswith(".") == (length > 1)
    assert flask_reads(flask_app(), ours) == FlaskSession(secret_key="key").loads(theirs) == data


@settings(deadline=None)
@given(sessions, st.lists(secret_keys, min_size=1, max_size=4), st.lists(secret_keys, min_size=1, max_size=4))
def test_key_rotation_reads_and_signs_as_flask_does(
    data: dict[str, Any], written_with: list[str | bytes], read_with: list[str | bytes]
) -> None:
    new, *old = written_with
    cookie = FlaskSession(secret_key=new, fallbacks=tuple(old)).dumps(data)
    # Signed with the newest key, whatever the fallbacks are.
    assert flask_reads(flask_app(new), cookie) == data
    current, *fallbacks = read_with
    ours = FlaskSession(secret_key=current, fallbacks=tuple(fallbacks)).loads(cookie)
    assert (ours or {}) == flask_reads(flask_app(current, fallbacks), cookie)


def test_a_rotated_key_is_still_read_and_never_signed_with() -> None:
    old, new = FlaskSession(secret_key="old"), FlaskSession(secret_key="new", fallbacks=("older", "old"))
    assert new.loads(old.dumps({"a": 1})) == {"a": 1}
    assert old.loads(new.dumps({"a": 1})) is None


@settings(deadline=None)
@given(sessions, st.integers(-2, 100), st.sampled_from([0, 1, 50]))
def test_a_cookie_too_old_or_from_the_future_is_refused_as_by_flask(
    data: dict[str, Any], age: int, lifetime: int
) -> None:
    app = flask_app()
    app.permanent_session_lifetime = timedelta(seconds=lifetime)
    session = FlaskSession.from_config(app.config)
    with patch.object(TimestampSigner, "get_timestamp", return_value=1_700_000_000):
        cookie = session.dumps(data)
    with patch.object(TimestampSigner, "get_timestamp", return_value=1_700_000_000 + age):
        assert session.loads(cookie) == (data if 0 <= age <= lifetime else None)
        assert (session.loads(cookie) or {}) == flask_reads(app, cookie)


@settings(deadline=None)
@given(st.data())
def test_a_cookie_with_any_byte_changed_is_refused_as_by_flask(data: st.DataObject) -> None:
    session = FlaskSession(secret_key="key")
    cookie = session.dumps({"_user_id": "1", "text": "x" * data.draw(st.sampled_from([1, 99]))})
    position = data.draw(st.integers(0, len(cookie) - 1))
    character = data.draw(st.sampled_from("abcXYZ019-_. =é"))
    assume(character != cookie[position])
    forged = cookie[:position] + character + cookie[position + 1 :]
    ours = session.loads(forged)
    assert (ours or {}) == flask_reads(flask_app(), forged)
    # The last character carries two bits more than the signature has: some changes of it change nothing.
    assert ours is None or position == len(cookie) - 1


NO_SESSIONS = [b"[1,2]", b"7", b'{" u":"not hex"}', b"not json", b'{" t":1}']


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("payload", NO_SESSIONS, ids=bytes.decode)
def test_a_payload_that_is_no_session_is_no_session(payload: bytes, compress: bool) -> None:
    body = b"." + base64_encode(zlib.compress(payload)) if compress else base64_encode(payload)
    cookie = flask_serializer(flask_app()).make_signer().sign(body).decode()
    assert FlaskSession(secret_key="key").loads(cookie) is None


def test_without_a_secret_key_there_is_no_session() -> None:
    with pytest.raises(ValueError, match="SECRET_KEY"):
        FlaskSession.from_config({})
    assert "hush" not in repr(FlaskSession(secret_key="hush", fallbacks=("hush too",)))


def test_the_settings_are_those_of_the_flask_app() -> None:
    app = flask_app("key", ["old"])
    app.config.update(
        SESSION_COOKIE_NAME="sid",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=True,
        APPLICATION_ROOT="/shop",
        PERMANENT_SESSION_LIFETIME=60,
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    session = FlaskSession.from_config(app.config)
    assert session.cookie.set("v", None) == "sid=v; Secure; HttpOnly; Path=/shop; SameSite=Lax"
    assert (session.lifetime, session.refresh_each_request) == (timedelta(seconds=60), False)
    assert session.fallbacks == ("old",)
    defaults = Flask("plain")
    defaults.secret_key = "key"
    assert vars(FlaskSession.from_config({"SECRET_KEY": "key"})).keys() == vars(session).keys()
    for name in ("cookie", "lifetime", "refresh_each_request", "fallbacks"):
        expected = getattr(FlaskSession.from_config(defaults.config), name)
        assert getattr(FlaskSession(secret_key="key"), name) == expected


shared = FlaskSession(secret_key="key")
CurrentSession = Annotated[Session, Depends(shared)]


async def reject(session: CurrentSession) -> None:
    session["seen_by"] = "a dependency"
    raise HTTPException(418)


def new_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(FlaskSessionMiddleware, session=shared)

    @app.get("/untouched")
    async def untouched(session: CurrentSession) -> str:
        return "given, not read"

    @app.get("/read")
    async def read(session: CurrentSession) -> dict[str, Any]:
        return dict(session)

    @app.post("/write")
    async def write(session: CurrentSession) -> None:
        session["n"] = session.get("n", 0) + 1

    @app.post("/clear")
    async def clear(session: CurrentSession) -> None:
        session.clear()

    @app.get("/stream")
    async def stream(session: CurrentSession) -> StreamingResponse:
        session["n"] = 1

        async def body() -> AsyncIterator[bytes]:
            yield b"a"
            session["late"] = True  # the head has gone; Flask loses this too
            yield b"b"

        return StreamingResponse(body(), headers={"Vary": "Accept-Encoding"})

    @app.get("/teapot", dependencies=[Depends(reject)])
    async def teapot() -> None: ...

    @app.get("/handled")
    async def handled(session: CurrentSession) -> None:
        session["n"] = 1
        raise LookupError

    @app.get("/crash")
    async def crash(session: CurrentSession) -> None:
        session["n"] = 1
        raise ZeroDivisionError

    @app.exception_handler(LookupError)
    async def on_lookup_error(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse("handled", 404)

    @app.exception_handler(Exception)
    async def on_crash(request: Request, error: Exception) -> JSONResponse:
        response = JSONResponse("crashed", 500)
        await shared.save(request, response)
        return response

    @app.websocket("/ws")
    async def socket(websocket: WebSocket, session: CurrentSession) -> None:
        await websocket.accept()
        await websocket.send_json(dict(session))
        try:
            session["n"] = 2
        except RuntimeError as error:
            await websocket.send_text(str(error))
        await websocket.close()

    sub = FastAPI()
    sub.add_api_route("/write", write, methods=["POST"])
    app.mount("/sub", sub)
    return app


def client(cookie: str | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(new_app(), raise_app_exceptions=False),
        base_url="http://shop.test",
        cookies=None if cookie is None else {"session": cookie},
    )


def written(response: httpx.Response) -> dict[str, Any] | None:
    """What the response's only cookie holds; None if it sets none."""
    fields = response.headers.get_list("set-cookie")
    assert len(fields) <= 1
    return shared.loads(fields[0].partition("=")[2].partition(";")[0]) if fields else None


async def test_a_session_that_was_given_but_not_read_leaves_no_trace() -> None:
    response = await client(shared.dumps({"a": 1})).get("/untouched")
    assert "vary" not in response.headers
    assert "set-cookie" not in response.headers


async def test_reading_makes_the_response_vary_and_writing_sends_the_cookie() -> None:
    browser = client()
    assert (await browser.get("/read")).headers["vary"] == "Cookie"
    response = await browser.post("/write")
    assert (written(response), response.headers["vary"]) == ({"n": 1}, "Cookie")
    assert written(await browser.post("/write")) == {"n": 2}
    assert (await browser.get("/read")).json() == {"n": 2}


async def test_emptying_deletes_the_cookie() -> None:
    response = await client(shared.dumps({"a": 1})).post("/clear")
    assert response.headers["set-cookie"] == (
        "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"
    )
    assert response.headers["vary"] == "Cookie"


async def test_a_permanent_session_is_refreshed_by_every_response_even_one_that_never_saw_it() -> None:
    cookie = shared.dumps({"_permanent": True})
    for path in ("/untouched", "/no-such-page"):
        response = await client(cookie).get(path)
        assert written(response) == {"_permanent": True}
        assert "Expires=" in response.headers["set-cookie"]


async def test_a_stream_carries_the_cookie_in_its_head_and_keeps_the_apps_own_vary() -> None:
    response = await client().get("/stream")
    assert (response.text, written(response)) == ("ab", {"n": 1})
    assert response.headers["vary"] == "Accept-Encoding, Cookie"


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [("/teapot", 418, {"seen_by": "a dependency"}), ("/handled", 404, {"n": 1}), ("/crash", 500, {"n": 1})],
)
async def test_errors_carry_the_cookie_as_in_flask(path: str, status: int, expected: dict[str, Any]) -> None:
    response = await client().get(path)
    assert (response.status_code, written(response)) == (status, expected)


async def test_a_mounted_app_shares_the_session() -> None:
    assert written(await client(shared.dumps({"n": 4})).post("/sub/write")) == {"n": 5}


async def test_a_websocket_reads_the_session_and_is_told_that_it_cannot_write() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    cookie = f"session={shared.dumps({'n': 1})}".encode()
    scope = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": [(b"cookie", cookie)]}
    await new_app()(scope, receive, send)
    accept, session, refusal, _ = sent
    assert accept == {"type": "websocket.accept", "subprotocol": None, "headers": []}
    assert session["text"] == '{"n":1}'
    assert "read-only" in refusal["text"]


async def test_the_dependency_says_what_is_missing_without_the_middleware() -> None:
    with pytest.raises(RuntimeError, match="add FlaskSessionMiddleware"):
        await shared(HTTPConnection({"type": "http", "headers": []}))


async def test_other_scopes_pass_through() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope))

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await FlaskSessionMiddleware(app, shared)({"type": "lifespan"}, receive, send)
    assert seen == [{"type": "lifespan"}]
