"""What is written of requests: through the whole gateway, with a real log file."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config.loader import load_dict
from gateway.dataplane.app import Gateway
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.log_file import LogFile
from gateway.telemetry.slots import SlotFile
from tests.dataplane.asgi_client import call, get, http_scope, websocket_scope
from tests.dataplane.direct_stage import stage
from tests.upstream.scripted import Peer, eventually

Lines = Callable[[], Coroutine[Any, Any, list[dict[str, Any]]]]

# Of each line, what is different each time.
MEASURED = ("time", "request_id", "seconds", "first_byte_seconds")

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Served-By: somebody\r\n\r\nhello"

SECRET = "s3cret-of-testers"
ROUTES: list[dict[str, Any]] = [
    {"path": "/moved", "to": "new"},
    {"path": "/split", "to": {"legacy": 50, "new": 50}, "name": "the split"},
    {"path": "/by-user", "to": {"legacy": 50, "new": 50}, "sticky": "header:X-User"},
    {"path": "/drawn", "to": {"legacy": 50, "new": 50}, "sticky": "none"},
]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    if scope["path"].endswith("/fails"):
        raise RuntimeError("on purpose")
    if scope["path"].endswith("/waits"):
        await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"].endswith("/stops"):
        raise RuntimeError("on purpose")
    await asyncio.sleep(0.02)
    await send({"type": "http.response.body", "body": b"hel", "more_body": True})
    await send({"type": "http.response.body", "body": b"lo"})


@asynccontextmanager
async def logged(folder: Path, **more: Any) -> AsyncIterator[tuple[ASGIApp, Lines]]:
    """A gateway with an access log, and how to read what it has written so far."""
    path = folder / "access.log"
    slots = SlotFile()
    data = {"version": 1, "backends": {"legacy": {}, "new": {}}, "default": "legacy", "routes": ROUTES, **more}
    log = AccessLog(LogFile(path), "json", slots)
    apps = {"legacy": app, "new": app}
    gateway = Gateway(load_dict(data, provided=frozenset(apps)), apps=apps, watch=False, slots=slots, access_log=log)
    await gateway.start()

    async def lines() -> list[dict[str, Any]]:
        log._flush()
        async with asyncio.timeout(5):
            while log._done < log._handed:
                await asyncio.sleep(0.001)
        return [json.loads(line) for line in path.read_text().splitlines()]

    yield gateway, lines
    await gateway.stop()


async def test_a_line_a_request(tmp_path: Path) -> None:
    async with logged(tmp_path) as (gateway, lines):
        answer = await get(gateway, "/moved?token=secret", [(b"authorization", b"Bearer secret"), (b"cookie", b"a=b")])
        assert answer.status == 200
        [line] = await lines()
    assert "secret" not in json.dumps(line)
    assert line["seconds"] >= line["first_byte_seconds"] + 0.02
    assert about(line) == {
        "client": "203.0.113.9",
        "method": "GET",
        "path": "/moved",
        "route": "/moved",
        "backend": "new",
        "why": "route",
        "status": 200,
        "bytes": 5,
    }


@pytest.mark.parametrize(
    ("target", "headers", "route", "why"),
    [
        ("/elsewhere", [], "default", "default"),
        ("/moved", [], "/moved", "route"),
        ("/split", [], "the split", "weight"),
        ("/split", [(b"cookie", b"strangler_id=AAAAAAAAAAAAAAAAAAAAAA")], "the split", "sticky"),
        ("/by-user", [], "/by-user", "weight"),
        ("/by-user", [(b"x-user", b"7")], "/by-user", "sticky"),
        ("/drawn", [(b"cookie", b"strangler_id=AAAAAAAAAAAAAAAAAAAAAA")], "/drawn", "weight"),
        ("/moved", [(b"x-gateway-backend", b"legacy:" + SECRET.encode())], "/moved", "override"),
        ("/elsewhere", [(b"x-gateway-backend", b"new:" + SECRET.encode())], "default", "override"),
    ],
)
async def test_it_says_why_the_request_went_where_it_went(
    tmp_path: Path, target: str, headers: list[tuple[bytes, bytes]], route: str, why: str
) -> None:
    async with logged(tmp_path, override={"secret": SECRET}) as (gateway, lines):
        await get(gateway, target, headers)
        [line] = await lines()
    assert (line["route"], line["why"]) == (route, why)
    assert line["backend"] in ("legacy", "new")


async def test_what_the_gateway_refuses_is_logged_too(tmp_path: Path) -> None:
    async with logged(tmp_path) as (gateway, lines):
        answer = await get(gateway, "/x", raw_path=b"/a/../b")
        await call(gateway, http_scope("HEAD", "/x", raw_path=b"/a/%00"))
        await call(gateway, websocket_scope("/x", raw_path=b"/a/.."), {"type": "websocket.connect"})
        refused, head, websocket = await lines()
    assert (refused["route"], refused["backend"], refused["why"]) == ("none", "none", "refused")
    assert (refused["status"], refused["path"], refused["client"]) == (400, "/a/../b", "203.0.113.9")
    assert (refused["bytes"], refused["request_id"]) == (len(answer.body), answer.json["request_id"])
    assert (head["method"], head["bytes"], websocket["method"], websocket["bytes"]) == ("HEAD", 0, "GET", 0)


async def test_an_app_that_fails_has_begun_no_answer(tmp_path: Path) -> None:
    async with logged(tmp_path) as (gateway, lines):
        answer = await get(gateway, "/fails")
        await get(gateway, "/stops")
        failed, stopped = await lines()
    assert (failed["status"], failed["bytes"], failed["first_byte_seconds"]) == (500, len(answer.body), None)
    assert (stopped["status"], stopped["bytes"]) == (200, 0)
    assert stopped["first_byte_seconds"] > 0


async def test_a_head_has_no_content_whatever_the_app_sends(tmp_path: Path) -> None:
    async with logged(tmp_path) as (gateway, lines):
        await call(gateway, http_scope("HEAD", "/moved"))
        assert [line["bytes"] for line in await lines()] == [0]


async def test_a_websocket_is_a_line_when_it_ends(tmp_path: Path) -> None:
    async with logged(tmp_path) as (gateway, lines):
        await call(gateway, websocket_scope("/moved"), {"type": "websocket.connect"})
        [line] = await lines()
    assert (line["method"], line["status"], line["bytes"], line["first_byte_seconds"]) == ("GET", 101, None, None)


async def answering(peer: Peer) -> None:
    while True:
        await peer.head()
        await peer.say(ANSWER)


async def answering_once(peer: Peer) -> None:
    await peer.head()
    await peer.say(ANSWER)
    await peer.rest()


def about(line: dict[str, Any]) -> dict[str, Any]:
    """Without what is different each time."""
    return {name: value for name, value in line.items() if name not in MEASURED}


async def test_a_request_without_a_task_is_logged_and_marked_like_the_others(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogFile(path), "json", SlotFile())
    async with stage(answering, access_log=log, expose=True) as running:
        await running.warm()
        async with running.client() as client:
            client.send(b"GET /books?q=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            head, _ = await client.answer(5)
        assert running.in_tasks == 0
    assert head.lower().count(b"x-served-by") == head.count(b"\r\nX-Served-By: remote\r\n") == 1
    in_a_task, without = (json.loads(line) for line in path.read_text().splitlines())
    assert about(in_a_task) == about(without)
    assert (without["path"], without["status"], without["bytes"], without["why"]) == ("/books", 200, 5, "default")
    assert 0 < without["first_byte_seconds"] <= without["seconds"] < 1


async def test_a_client_that_leaves_before_the_answer_is_499(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogFile(path), "json", SlotFile())
    async with stage(answering_once, access_log=log) as running:
        await running.warm()
        async with running.client() as client:
            client.send(b"GET /books HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            await eventually(lambda: running.in_flight == 1)
            client.reset()
            await eventually(lambda: running.in_flight == 0)
    left = json.loads(path.read_text().splitlines()[-1])
    assert (left["status"], left["bytes"], left["first_byte_seconds"]) == (499, 0, None)


async def test_a_request_without_a_task_has_a_trace_too() -> None:
    async with stage(answering, tracing={}) as running:
        await running.warm()
        async with running.client() as client:
            client.send(b"GET /books HTTP/1.1\r\nHost: shop.example\r\nTraceparent: nonsense\r\n\r\n")
            await client.answer(5)
        assert running.in_tasks == 0
        [peer] = running.remote.peers
    assert len(re.findall(rb"\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n", peer.heard)) == 2
    assert b"nonsense" not in peer.heard
