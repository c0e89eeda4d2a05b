"""The seven steps, called as an ASGI server calls them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from flask import Flask
from starlette.types import Receive, Scope, Send

from gateway.backends.overload import Overloaded
from gateway.config.problem import ConfigError
from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import Answer, call, get, http_scope, websocket_scope


class Echo:
    """An ASGI app that says who it is and what it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.events.append("start")
            scope["state"]["who"] = self.name
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.events.append("stop")
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": [(b"x-who", self.name.encode())]})
            return
        body = json.dumps(
            {
                "who": self.name,
                "path": scope["path"],
                "raw_path": scope["raw_path"].decode(),
                "root_path": scope["root_path"],
                "state": scope["state"],
                "headers": [[k.decode(), v.decode()] for k, v in scope["headers"]],
            }
        ).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def config(*routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 1, "default": "legacy", "routes": list(routes), **more}


@pytest.fixture
def legacy() -> Echo:
    return Echo("legacy")


@pytest.fixture
def new() -> Echo:
    return Echo("new")


class Serving:
    """Starts gateways, and stops them when the test is over."""

    def __init__(self, legacy: Echo, new: Echo) -> None:
        self._apps = {"legacy": legacy, "new": new}
        self._started: list[Gateway] = []

    async def __call__(self, data: dict[str, Any], **apps: Any) -> Gateway:
        gateway = Gateway.from_dict(data, apps={**self._apps, **apps})
        await gateway.start()
        self._started.append(gateway)
        return gateway

    async def stop(self) -> None:
        for gateway in self._started:
            await gateway.stop()


@pytest.fixture
async def serve(legacy: Echo, new: Echo) -> AsyncIterator[Serving]:
    serving = Serving(legacy, new)
    yield serving
    await serving.stop()


async def test_a_route_sends_its_requests_to_its_backend_and_the_rest_stays(serve: Serving) -> None:
    gateway = await serve(config({"path": "/books/{id}", "methods": ["GET"], "to": "new"}))
    assert (await get(gateway, "/books/7")).json["who"] == "new"
    assert (await get(gateway, "/books")).json["who"] == "legacy"
    assert (await call(gateway, http_scope("POST", "/books/7"))).json["who"] == "legacy"


async def test_the_app_sees_the_path_that_was_decided_on(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a/{x}", "to": "new"}))
    seen = (await get(gateway, "/x", raw_path=b"/a/%2f%62")).json
    assert (seen["who"], seen["path"], seen["raw_path"]) == ("new", "/a/%2Fb", "/a/%2Fb")


@pytest.mark.parametrize("raw_path", [b"/a/../b", b"/a/%2e%2e/b", b"/a%00", b"/a%5cb", b"/%zz", b"/a/..%2fb"])
async def test_a_hostile_path_is_refused(serve: Serving, raw_path: bytes) -> None:
    answer = await get(await serve(config()), "/x", raw_path=raw_path)
    assert answer.status == 400
    assert answer.all(b"content-type") == [b"application/problem+json"]
    assert answer.json["status"] == 400
    assert answer.json["request_id"]


async def test_flask_is_not_shown_a_path_that_it_reads_differently(serve: Serving) -> None:
    """Werkzeug strips the slashes at the beginning: `//admin` would reach what was moved away from `/admin`."""
    flask = Flask("legacy")
    flask.add_url_rule("/<path:rest>", "any", lambda rest: {"who": "flask", "rest": rest})
    gateway = await serve(config({"path": "/admin", "to": "new"}, {"path": "/admin/{x}", "to": "legacy"}), legacy=flask)
    assert (await get(gateway, "/admin")).json["who"] == "new"
    for path in ("//admin", "///admin", "//admin/x"):
        assert (await get(gateway, path)).status == 400
    assert (await get(gateway, "//shop/books")).json == {"who": "flask", "rest": "shop/books"}


async def test_an_asgi_app_is_shown_its_slashes_as_they_came(serve: Serving) -> None:
    seen = (await get(await serve(config({"path": "/a", "to": "new"})), "//a")).json
    assert (seen["who"], seen["path"]) == ("legacy", "//a")


async def test_a_server_without_raw_path_is_served_too(serve: Serving) -> None:
    scope = http_scope("GET", "/caf\u00e9 au lait")
    del scope["raw_path"]
    seen = (await call(await serve(config()), scope)).json
    assert seen["path"] == "/caf\u00e9 au lait"
    assert seen["raw_path"] == "/caf%C3%A9%20au%20lait"


async def test_routes_speak_of_the_path_below_the_mount_point(serve: Serving) -> None:
    gateway = await serve(config({"path": "/books", "to": "new"}))
    seen = (await get(gateway, "/shop/books", root_path="/shop")).json
    assert (seen["who"], seen["path"], seen["root_path"]) == ("new", "/shop/books", "/shop")
    assert (await get(gateway, "/shopbooks", root_path="/shop")).json["who"] == "legacy"


async def test_each_app_gets_its_own_state(serve: Serving) -> None:
    gateway = await serve(config({"path": "/n", "to": "new"}))
    assert (await get(gateway, "/n", state={"server": 1})).json["state"] == {"who": "new"}
    assert (await get(gateway, "/", state={"server": 1})).json["state"] == {"who": "legacy"}


async def test_a_split_sets_its_cookie_once_and_keeps_its_word(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 50, "new": 50}, "sticky": "cookie"}))
    for _ in range(20):
        first = await get(gateway, "/b")
        (cookie,) = first.all(b"set-cookie")
        assert cookie.startswith(b"strangler_id=")
        assert b"HttpOnly" in cookie
        assert b"SameSite=Lax" in cookie
        assert b"Secure" not in cookie
        pair = cookie.partition(b";")[0]
        for _ in range(3):
            again = await get(gateway, "/b", [(b"cookie", b"session=x; " + pair)])
            assert again.all(b"set-cookie") == []
            assert again.json["who"] == first.json["who"]


async def test_the_cookie_is_secure_behind_https(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 50, "new": 50}}))
    assert b"; Secure" in (await get(gateway, "/b", scheme="https")).all(b"set-cookie")[0]


async def test_no_split_no_cookie(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 0, "new": 100}}, {"path": "/c", "to": "new"}))
    for path in ("/b", "/c", "/d"):
        assert (await get(gateway, path)).all(b"set-cookie") == []
    assert (await get(gateway, "/b")).json["who"] == "new"


async def test_routes_of_a_group_agree_and_others_do_not_follow(serve: Serving) -> None:
    half = {"to": {"legacy": 50, "new": 50}, "sticky": "header:X-User"}
    gateway = await serve(
        config({"path": "/a", "group": "g", **half}, {"path": "/b", "group": "g", **half}, {"path": "/c", **half})
    )
    sides = {"a": "", "b": "", "c": ""}
    for user in range(200):
        for path in sides:
            answer = await get(gateway, f"/{path}", [(b"x-user", str(user).encode())])
            assert answer.all(b"set-cookie") == []
            sides[path] += answer.json["who"][0]
    assert sides["a"] == sides["b"] != sides["c"]
    assert 70 < sides["a"].count("n") < 130


async def test_without_a_key_the_draw_is_even(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": {"legacy": 90, "new": 10}, "sticky": "none"}))
    drawn = [(await get(gateway, "/a")).json["who"] for _ in range(50)]
    assert 4 <= drawn.count("new") <= 6


async def test_the_address_can_be_the_key(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": {"legacy": 50, "new": 50}, "sticky": "ip"}))
    sides = set()
    for number in range(40):
        client = (f"198.51.100.{number}", 1)
        first = (await get(gateway, "/a", client=client)).json["who"]
        assert (await get(gateway, "/a", client=(client[0], 2))).json["who"] == first
        sides.add(first)
    assert sides == {"legacy", "new"}


async def test_a_tester_overrides_by_header_over_cookie_over_weight(serve: Serving) -> None:
    override = {"header": "X-Side", "cookie": "side", "allow": ["203.0.113.0/24"]}
    gateway = await serve(config({"path": "/a", "to": "legacy"}, override=override))
    assert (await get(gateway, "/a", [(b"x-side", b"new")])).json["who"] == "new"
    assert (await get(gateway, "/zzz", [(b"cookie", b"side=new")])).json["who"] == "new"
    both = await get(gateway, "/a", [(b"x-side", b"legacy"), (b"cookie", b"side=new")])
    assert both.json["who"] == "legacy"
    assert "x-side" not in dict(both.json["headers"])
    stranger = await get(gateway, "/a", [(b"x-side", b"new")], client=("198.51.100.1", 1))
    assert stranger.json["who"] == "legacy"
    typo = await get(gateway, "/a", [(b"x-side", b"nwe")])
    assert typo.status == 400


async def test_an_override_can_need_a_secret(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": "legacy"}, override={"secret": "open sesame"}))
    sides = {
        value: (await get(gateway, "/a", [(b"x-gateway-backend", value)])).json["who"]
        for value in (b"new", b"new:", b"new:wrong", b"new:open sesame", b"nwe:wrong", b"new:\xff")
    }
    assert [value for value, side in sides.items() if side == "new"] == [b"new:open sesame"]


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("secret detail")


async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    raise ValueError("secret detail")


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    return


async def stops_short(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})


async def overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    raise Overloaded(7)


@pytest.mark.parametrize("app", [fails, silent])
async def test_a_failure_before_the_answer_is_a_500(serve: Serving, app: Any, caplog: pytest.LogCaptureFixture) -> None:
    gateway = await serve(config(), legacy=app)
    answer = await get(gateway, "/a")
    assert answer.status == 500
    assert answer.all(b"content-type") == [b"application/problem+json"]
    assert b"secret" not in answer.body
    assert answer.json["request_id"] in caplog.text


@pytest.mark.parametrize("app", [breaks, stops_short])
async def test_a_failure_after_the_answer_began_never_completes_it(serve: Serving, app: Any) -> None:
    answer = await get(await serve(config(), legacy=app), "/a")
    assert answer.status == 200
    assert not answer.complete


async def test_a_client_that_left_is_no_failure(serve: Serving, caplog: pytest.LogCaptureFixture) -> None:
    gateway = await serve(config(), legacy=fails)
    with caplog.at_level(logging.INFO):
        answer = await call(gateway, http_scope("GET", "/a"), left=True)
    assert answer.sent == []
    assert caplog.text == ""


async def test_too_many_requests_are_told_to_come_back(serve: Serving) -> None:
    answer = await get(await serve(config(), legacy=overloaded), "/a")
    assert answer.status == 503
    assert answer.all(b"retry-after") == [b"7"]
    assert answer.json["title"] == "Service Unavailable"


async def test_a_cancelled_request_says_that_the_server_ends(serve: Serving) -> None:
    begun = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        begun.set()
        await asyncio.sleep(60)

    gateway = await serve(config(), legacy=slow)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    task = asyncio.create_task(gateway(http_scope("GET", "/a"), receive, send))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert Answer(sent).status == 503


CONNECT = {"type": "websocket.connect"}


async def test_websockets_are_routed_split_and_sticky(serve: Serving) -> None:
    gateway = await serve(config({"path": "/ws", "methods": ["GET"], "to": {"legacy": 50, "new": 50}}))
    answer = await call(gateway, websocket_scope("/ws"), CONNECT)
    accept, close = answer.sent
    assert accept["type"] == "websocket.accept"
    headers = dict(accept["headers"])
    assert headers[b"set-cookie"].startswith(b"strangler_id=")
    assert close == {"type": "websocket.close", "code": 1000}
    again = await call(gateway, websocket_scope("/ws", [(b"cookie", headers[b"set-cookie"])]), CONNECT)
    assert dict(again.sent[0]["headers"]) == {b"x-who": headers[b"x-who"]}


async def test_a_websocket_refusal_has_a_status_where_the_server_can_send_one(serve: Serving) -> None:
    gateway = await serve(config(), legacy=fails)
    bare = await call(gateway, websocket_scope("/ws"), CONNECT)
    assert bare.sent == [{"type": "websocket.close", "code": 1011}]
    full = await call(gateway, websocket_scope("/ws", extensions={"websocket.http.response": {}}), CONNECT)
    assert [message["type"] for message in full.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert full.status == 500


async def test_a_websocket_app_that_fails_later_closes_with_1011(serve: Serving) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise ValueError("secret detail")

    answer = await call(await serve(config(), legacy=app), websocket_scope("/ws"), CONNECT)
    assert answer.sent[1:] == [{"type": "websocket.close", "code": 1011}]


async def test_what_happened_is_counted(legacy: Echo, new: Echo) -> None:
    slots = SlotFile()
    data = config({"path": "/b", "to": "new"}, {"path": "/f", "to": "fails"})
    gateway = Gateway.from_dict(data, apps={"legacy": legacy, "new": new, "fails": fails}, slots=slots)
    await get(gateway, "/b")
    await get(gateway, "/other")
    await get(gateway, "/f")
    await get(gateway, "/b/../f")
    await call(gateway, websocket_scope("/chat"), CONNECT)
    values = {key: value for key, value in slots.items() if key[0] == "requests"}
    assert values == {
        ("requests", "/b", "new", "GET", "200"): [1.0],
        ("requests", "default", "legacy", "GET", "200"): [1.0],
        ("requests", "/f", "fails", "GET", "500"): [1.0],
        ("requests", "none", "none", "GET", "400"): [1.0],
        ("requests", "default", "legacy", "WEBSOCKET", "101"): [1.0],
    }
    assert all(value == [0.0] for key, value in slots.items() if key[0] == "in_flight")
    await gateway.stop()


async def test_the_first_request_starts_a_gateway_without_lifespan(legacy: Echo, new: Echo) -> None:
    gateway = Gateway.from_dict(config(), apps={"legacy": legacy, "new": new})
    answers = await asyncio.gather(*(get(gateway, "/a") for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5
    assert legacy.events == new.events == ["start"]
    await gateway.stop()
    assert legacy.events == new.events == ["start", "stop"]


async def test_the_servers_lifespan_starts_and_stops_the_apps(legacy: Echo, new: Echo) -> None:
    gateway = Gateway.from_dict(config(), apps={"legacy": legacy, "new": new})
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    answer = await call(gateway, {"type": "lifespan"}, *events)
    assert [message["type"] for message in answer.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert legacy.events == new.events == ["start", "stop"]


async def test_an_app_that_cannot_start_is_told_with_its_place(legacy: Echo) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback...\nValueError: no database"})

    gateway = Gateway.from_dict(config(), apps={"legacy": legacy, "new": app})
    with pytest.raises(ConfigError, match=r"backend 'new' failed to start: ValueError: no database"):
        await gateway.start()
    assert legacy.events == ["start", "stop"]
    answer = await get(gateway, "/a")
    assert answer.status == 503
