"""The cookie is sent again exactly when Flask would send it, and then with the same bytes.

Two apps with the same settings, one Flask and one FastAPI, run the same random operations on the session, request
after request, each with its own browser. Every response must agree in what the operations gave, Set-Cookie and Vary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import flask
import flask.sessions
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from gateway.migrate import shared_session
from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware, Session


def crash(session: Any) -> None:
    session["written"] = "before the error"
    raise ZeroDivisionError


OPERATIONS: dict[str, Callable[[Any], object]] = {
    "get": lambda s: s.get("a"),
    "getitem": lambda s: s["a"],
    "contains": lambda s: "a" in s,
    "len": len,
    "bool": bool,
    "iterate": list,
    "items": lambda s: list(s.items()),
    "equal": lambda s: s == {},
    "change a copy": lambda s: s.copy().clear(),
    "set": lambda s: s.__setitem__("a", (1, b"x")),
    "set a dict": lambda s: s.__setitem__("b", {" t": None}),
    "set to itself": lambda s: s.__setitem__("a", s["a"]),
    "delete": lambda s: s.__delitem__("a"),
    "pop": lambda s: s.pop("a"),
    "pop or default": lambda s: s.pop("b", None),
    "popitem": lambda s: s.popitem(),
    "setdefault": lambda s: s.setdefault("a", 0),
    "update": lambda s: s.update(b=1),
    "update with pairs": lambda s: s.update([("a", 2)]),
    "update with nothing": lambda s: s.update({}),
    "merge": lambda s: s.__ior__({"c": 3}) and None,
    "clear": lambda s: s.clear(),
    "change inside": lambda s: s.setdefault("list", []).append(1),
    "read permanent": lambda s: s.permanent,
    "permanent": lambda s: setattr(s, "permanent", True),
    "not permanent": lambda s: setattr(s, "permanent", False),
    "read modified": lambda s: s.modified,
    "mark modified": lambda s: setattr(s, "modified", True),
    "mark unmodified": lambda s: setattr(s, "modified", False),
    "read new": lambda s: s.new,
    "crash": crash,
}


def perform(session: MutableMapping[str, Any], operations: Sequence[str]) -> list[str]:
    """What each operation gave. A missing key is a result like any other; other errors end the request."""
    results = []
    for name in operations:
        try:
            results.append(repr(OPERATIONS[name](session)))
        except KeyError as error:
            results.append(type(error).__name__)
    return results


class Clock:
    """Stands in for ``datetime`` in both implementations, and gives itsdangerous its time."""

    def __init__(self) -> None:
        self.time = datetime(2030, 1, 1, tzinfo=UTC)

    def now(self, zone: Any) -> datetime:
        return self.time

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        with (
            patch.object(flask.sessions, "datetime", self),
            patch.object(shared_session, "datetime", self),
            patch.object(TimestampSigner, "get_timestamp", lambda signer: int(self.time.timestamp())),
        ):
            yield


class Browser:
    """Keeps one cookie, and forgets it when told to; what is too old is the server's to find out."""

    def __init__(self) -> None:
        self.cookie: str | None = None

    def headers(self) -> dict[str, str]:
        return {} if self.cookie is None else {"Cookie": self.cookie}

    def receive(self, set_cookie: list[str]) -> None:
        for field in set_cookie:
            self.cookie = None if "Max-Age=0" in field else field.partition(";")[0]


def legacy_app(config: dict[str, Any]) -> flask.Flask:
    app = flask.Flask("legacy")
    app.config.update(config)
    app.logger.disabled = True  # crashes are part of the test

    @app.get("/")
    def run() -> flask.Response:
        return flask.jsonify(perform(flask.session, flask.request.args.getlist("op")))

    return app


def new_app(session: FlaskSession) -> FastAPI:
    app = FastAPI()
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/")
    async def run(request: Request) -> list[str]:
        return perform(await session(request), request.query_params.getlist("op"))

    @app.exception_handler(Exception)
    async def on_error(request: Request, error: Exception) -> JSONResponse:
        response = JSONResponse(None, 500)
        await session.save(request, response)
        return response

    return app


configs = st.fixed_dictionaries(
    {"SECRET_KEY": st.just("key"), "SESSION_REFRESH_EACH_REQUEST": st.booleans()},
    optional={
        "PERMANENT_SESSION_LIFETIME": st.sampled_from([0, 3600, timedelta(days=2)]),
        "SECRET_KEY_FALLBACKS": st.just(["old"]),
        "SESSION_COOKIE_NAME": st.just("sid"),
        "SESSION_COOKIE_DOMAIN": st.just("shop.test"),
        "SESSION_COOKIE_PATH": st.just("/shop"),
        "SESSION_COOKIE_SECURE": st.booleans(),
        "SESSION_COOKIE_HTTPONLY": st.booleans(),
        "SESSION_COOKIE_SAMESITE": st.sampled_from(["Lax", "Strict"]),
        "SESSION_COOKIE_PARTITIONED": st.booleans(),
    },
)
requests = st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=5)
pauses = st.sampled_from([0, 1, 3601, 40 * 24 * 3600])


async def assert_same_cookies(config: dict[str, Any], conversation: list[tuple[list[str], int]]) -> None:
    """``conversation`` is requests: their operations, and the pause after, in seconds."""
    flask_client = legacy_app(config).test_client(use_cookies=False)
    transport = httpx.ASGITransport(new_app(FlaskSession.from_config(config)), raise_app_exceptions=False)
    of_legacy, of_new, clock = Browser(), Browser(), Clock()
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        for operations, pause in conversation:
            with clock.everywhere():
                old = flask_client.get("/", query_string={"op": operations}, headers=of_legacy.headers())
                client.cookies.clear()
                new = await client.get("/", params={"op": operations}, headers=of_new.headers())
            assert new.status_code == old.status_code
            if new.status_code == 200:
                assert new.json() == old.json
            set_cookie = old.headers.getlist("Set-Cookie")
            assert new.headers.get_list("set-cookie") == set_cookie
            assert new.headers.get("vary") == old.headers.get("Vary")
            of_legacy.receive(set_cookie)
            of_new.receive(new.headers.get_list("set-cookie"))
            clock.time += timedelta(seconds=pause)


@settings(deadline=None)
@given(configs, st.lists(st.tuples(requests, pauses), min_size=1, max_size=6))
async def test_set_cookie_and_vary_are_those_of_flask(
    config: dict[str, Any], conversation: list[tuple[list[str], int]]
) -> None:
    await assert_same_cookies(config, conversation)


@pytest.mark.parametrize("before", [[], ["set"], ["set", "permanent"], ["change inside"]], ids=" and ".join)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_operation_on_its_own(before: list[str], operation: str) -> None:
    for refresh in (True, False):
        config = {"SECRET_KEY": "key", "SESSION_REFRESH_EACH_REQUEST": refresh}
        await assert_same_cookies(config, [(before, 1), ([operation], 1), ([], 1)])


def test_every_operation_works_on_both_kinds_of_session() -> None:
    """Or the comparison above would compare errors."""
    for name in OPERATIONS.keys() - {"crash"}:
        full = {"a": 1, "b": 2}
        assert perform(Session(full), [name]) == perform(flask.sessions.SecureCookieSession(full), [name])
        assert perform(Session(full), [name]) != ["KeyError"]
    with pytest.raises(ZeroDivisionError):
        perform(Session(), ["crash"])
