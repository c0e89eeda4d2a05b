"""More than there may be: of heads, bodies, connections and requests at once, and how a change of that takes effect."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.behaviour.probe import InBackground, metric, replace, settled_on
from tests.behaviour.process import GatewayProcess, eventually
from tests.behaviour.remote_apps import serving as app_serving

APPS = """
import asyncio, json, os

held = []

async def app(scope, receive, send):
    assert scope["type"] == "http"
    received, message = 0, await receive()
    while message["type"] == "http.request":
        received += len(message["body"])
        if not message["more_body"]:
            break
        message = await receive()
    body = json.dumps({"received": received, "whole": message["type"] == "http.request", "held": held}).encode()
    if scope["query_string"] == b"hold":
        held.append(scope["path"])
        while not os.path.exists("open"):
            await asyncio.sleep(0.01)
    elif scope["query_string"]:
        await asyncio.sleep(float(scope["query_string"]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
"""

HEAD = """\
version: 1
backends:
  here: {app: "apps:app"}
default: here
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "apps.py").write_text(APPS)
    return tmp_path


@contextlib.contextmanager
def serving(folder: Path, text: str) -> Iterator[GatewayProcess]:
    routes = folder / "routes.yaml"
    routes.write_text(text)
    with GatewayProcess(routes, cwd=folder) as gateway:
        yield gateway


def change(gateway: GatewayProcess, text: str) -> None:
    replace(gateway.routes, text)
    eventually(lambda: settled_on(gateway, text))


@contextlib.contextmanager
def connected(gateway: GatewayProcess) -> Iterator[socket.socket]:
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as sock:
        yield sock


def ask(gateway: GatewayProcess, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that is answered to ``pieces``, until the gateway closes the connection."""
    with connected(gateway) as sock:
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(pause)
        answer = b""
        while data := sock.recv(65536):
            answer += data
    return answer


def refused(gateway: GatewayProcess, reason: str) -> float:
    return metric(gateway, f'gateway_refused_total{{reason="{reason}"}}')


def in_flight(gateway: GatewayProcess, count: int) -> bool:
    return metric(gateway, "gateway_requests_in_flight") == count


def test_heads_have_a_size_and_a_time(folder: Path) -> None:
    with serving(folder, HEAD + "limits: {request_line: 300, head: 1024, fields: 5, header_timeout: 0.2}\n") as gateway:
        assert b" 414 " in ask(gateway, b"GET /" + b"x" * 300 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 431 " in ask(gateway, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000 + b"\r\n\r\n")
        assert b" 431 " in ask(gateway, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5 + b"\r\n")
        assert b" 408 " in ask(gateway, b"GET / HTTP/1.1\r\nHost: a\r\n")
        for reason, count in {"target_too_long": 1, "head_too_large": 2, "slow_head": 1}.items():
            assert refused(gateway, reason) == count


def test_bodies_have_a_size_by_route_and_a_time(folder: Path) -> None:
    limits = "limits: {body: 10, body_timeout: 0.2}\nroutes:\n  - {path: /upload, to: here, max_body: 20}\n"
    with serving(folder, HEAD + limits) as gateway:
        fits = httpx.post(gateway.url + "/", content=b"x" * 10)
        assert fits.json() == {"received": 10, "whole": True, "held": []}
        too_long = httpx.post(gateway.url + "/", content=b"x" * 11)
        assert too_long.status_code == 413
        assert too_long.json()["detail"] == "The request's body is longer than 10 bytes."
        assert too_long.json()["request_id"]
        assert httpx.post(gateway.url + "/upload", content=b"x" * 20).status_code == 200
        assert httpx.post(gateway.url + "/upload", content=iter([b"x" * 10, b"x" * 10])).status_code == 200
        head = b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        # Sixteen bytes, and then one chunk too many, when the app has begun to read.
        answer = ask(gateway, head + b"10\r\n0123456789abcdef\r\n", b"5\r\n", pause=0.1)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"Connection: close" in answer
        assert b" 408 " in ask(gateway, head + b"10\r\n0123")
        assert refused(gateway, "body_too_large") == 2
        assert refused(gateway, "slow_body") == 1


def test_a_remote_app_is_not_left_waiting_for_a_body_that_is_too_long(folder: Path) -> None:
    with app_serving(folder, "uvicorn", "apps:app", "--lifespan", "off", "--fd", "{fd}") as (port, _):
        text = (
            f"version: 1\nbackends:\n  here: {{url: 'http://127.0.0.1:{port}'}}\ndefault: here\nlimits: {{body: 20}}\n"
        )
        with serving(folder, text) as gateway:
            head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            answer = ask(gateway, head + b"10\r\n0123456789abcdef\r\n", b"5\r\n", pause=0.1)
            assert answer.startswith(b"HTTP/1.1 413 ")
            eventually(partial(in_flight, gateway, 0))
            # Its connection was in the middle of a request, and is not used for another.
            assert httpx.post(gateway.url, content=b"x").json()["received"] == 1


def test_a_client_may_have_so_many_connections(folder: Path) -> None:
    with serving(folder, HEAD + "limits: {connections_per_client: 2}\n") as gateway:
        with connected(gateway), connected(gateway), connected(gateway) as third:
            assert third.recv(65536).startswith(b"HTTP/1.1 429 ")
        eventually(lambda: refused(gateway, "connections_per_client") == 1)
        change(gateway, HEAD + "limits: {connections_per_client: 2}\ntrusted_proxies: [127.0.0.1]\n")
        with connected(gateway), connected(gateway):
            assert httpx.get(gateway.url).status_code == 200


def test_new_limits_hold_for_open_connections_too(folder: Path) -> None:
    with serving(folder, HEAD) as gateway, httpx.Client(base_url=gateway.url) as client:
        assert client.post("/", content=b"x" * 100).status_code == 200
        change(gateway, HEAD + "limits: {body: 50, requests_per_connection: 1}\n")
        assert client.post("/", content=b"x" * 100).status_code == 413
        assert client.get("/").headers["connection"] == "close"
        change(gateway, HEAD)
        assert client.post("/", content=b"x" * 100).status_code == 200
        assert "connection" not in client.get("/").headers


@contextlib.contextmanager
def one_at_a_time(folder: Path, *, remote: bool, limits: str) -> Iterator[GatewayProcess]:
    """A gateway whose only app is given one request at once."""
    with contextlib.ExitStack() as stack:
        where = 'app: "apps:app"'
        if remote:
            port, _ = stack.enter_context(
                app_serving(folder, "uvicorn", "apps:app", "--lifespan", "off", "--fd", "{fd}")
            )
            where = f"url: 'http://127.0.0.1:{port}'"
        text = f"version: 1\nbackends:\n  here: {{{where}, limit: {limits}}}\ndefault: here\n"
        yield stack.enter_context(serving(folder, text))


@pytest.mark.parametrize("remote", [False, True], ids=["embedded", "remote"])
def test_requests_beyond_the_limit_wait_in_order_or_are_refused(folder: Path, *, remote: bool) -> None:
    with one_at_a_time(folder, remote=remote, limits="{in_flight: 1, queue: 2, wait: 30}") as gateway:
        assert httpx.get(gateway.url).status_code == 200
        held = []
        for count in (1, 2, 3):
            held.append(InBackground(f"{gateway.url}/{count}?hold"))
            eventually(partial(in_flight, gateway, count))
        refused_now = httpx.get(gateway.url)
        assert refused_now.status_code == 503
        assert refused_now.headers["retry-after"] == "30"
        assert refused_now.headers["content-type"] == "application/problem+json"
        (folder / "open").touch()
        assert [each.response().status_code for each in held] == [200, 200, 200]
        assert httpx.get(gateway.url).json()["held"] == ["/1", "/2", "/3"]
        eventually(lambda: refused(gateway, "backend_queue_full") == 1)
        # Nothing is left behind of any of them.
        assert httpx.get(gateway.url).status_code == 200


@pytest.mark.parametrize("remote", [False, True], ids=["embedded", "remote"])
def test_who_leaves_frees_its_place_in_the_queue_and_in_flight(folder: Path, *, remote: bool) -> None:
    with one_at_a_time(folder, remote=remote, limits="{in_flight: 1, queue: 1, wait: 1.5}") as gateway:
        with connected(gateway) as first, connected(gateway) as second:
            for count, sock in enumerate((first, second), 1):
                sock.sendall(b"GET /?4 HTTP/1.1\r\nHost: a\r\n\r\n")
                eventually(partial(in_flight, gateway, count))
            second.close()
            eventually(partial(in_flight, gateway, 1))
            # The queue is free again, and the wait comes to an end.
            begun = time.monotonic()
            assert httpx.get(gateway.url).status_code == 503
            assert time.monotonic() - begun >= 1.5
        if remote:
            # An embedded app that does not ask goes on to its end.
            eventually(partial(in_flight, gateway, 0))
            assert httpx.get(gateway.url).status_code == 200
        assert refused(gateway, "backend_queue_wait") == 1
