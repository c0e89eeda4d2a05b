"""The seven steps, called as an ASGI server calls them."""

from __future__ import annotations

import asyncio

import pytest
from flask import Flask
from starlette.types import Receive, Scope, Send

from gateway.config.problem import ConfigError
from gateway.dataplane.app import Gateway
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import CONNECT, call, get, http_scope, websocket_scope
from tests.dataplane.embedded import Echo, Serving, config, fails


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
