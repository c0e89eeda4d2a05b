"""A Flask and a FastAPI app inside the gateway: they behave as on a server of their own."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.behaviour.probe import config, replace
from tests.behaviour.process import GatewayProcess, eventually

APPS = """
import asyncio, os, pathlib, time
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from flask import Flask, jsonify, redirect, request, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

marks = pathlib.Path(__file__).with_name("marks")

legacy = Flask(__name__)

@legacy.get("/where")
def where():
    return jsonify(
        url=request.url, external=url_for("where", _external=True), root=request.root_url, remote=request.remote_addr,
        scheme=request.scheme, script=request.script_root, secure=request.is_secure,
    )

@legacy.get("/moved")
def moved():
    return redirect(url_for("where", _external=True))

@legacy.get("/cookies")
def cookies():
    answer = jsonify(dict(request.cookies))
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2", httponly=True)
    return answer

@legacy.get("/slow")
def slow():
    time.sleep(float(request.args["s"]))
    return "slow"

@legacy.get("/fails")
def fails():
    raise ValueError("the password is hunter2")

@legacy.get("/breaks")
def breaks():
    def body():
        yield "x" * 1000
        raise ValueError("the password is hunter2")
    return body()

@legacy.get("/books")
def books():
    return "legacy"

proxied = Flask("proxied")
proxied.add_url_rule("/proxied/where", "where", where)
proxied.wsgi_app = ProxyFix(proxied.wsgi_app, x_for=1, x_proto=1, x_host=1, x_port=1)

@asynccontextmanager
async def lifespan(app):
    with marks.open("a") as file: file.write("start ")
    yield {"made_at_start": "yes"}
    with marks.open("a") as file: file.write("stop ")

new = FastAPI(lifespan=lifespan)

@new.get("/new/state")
async def state(request: Request):
    return request.state.made_at_start

@new.get("/new/where")
async def new_where(request: Request):
    return {"url": str(request.url), "external": str(request.url_for("new_where")), "remote": request.client.host,
            "forwarded": request.headers.get("x-forwarded-for")}

@new.get("/new/books")
@new.get("/books")
async def new_books():
    return "new"

@new.get("/new/ticks")
async def ticks(request: Request):
    async def body():
        for number in range(1000):
            yield f"{number}\\n"
            await asyncio.sleep(0.02)
    return StreamingResponse(body())

@new.websocket("/new/echo")
async def echo(socket: WebSocket):
    await socket.accept(subprotocol="echo.v1")
    async for text in socket.iter_text():
        await socket.send_text(text)
"""

ROUTES = """\
version: 1
backends:
  legacy: {app: "embedded_probe:legacy", threads: 8, queue: 40}
  proxied: {app: "embedded_probe:proxied"}
  new: {app: "embedded_probe:new"}
default: legacy
trusted_proxies: ["127.0.0.9"]
routes:
  - path: /new/{rest:path}
    to: new
  - path: /proxied/{rest:path}
    to: proxied
  - path: /books
    to: {legacy: 50, new: 50}
"""


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded")
    (folder / "embedded_probe.py").write_text(APPS)
    (folder / "routes.yaml").write_text(ROUTES)
    return folder / "routes.yaml"


@pytest.fixture(scope="module")
def gateway(routes: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(routes, workers=2, cwd=routes.parent) as running:
        yield running
    marks = (routes.parent / "marks").read_text().split()
    assert Counter(marks) == {"start": 2, "stop": 2}, "each worker runs the app's lifespan once, to its end"


def test_flask_knows_its_address_as_on_a_server_of_its_own(gateway: GatewayProcess) -> None:
    seen = httpx.get(f"{gateway.url}/where?q=%2F").json()
    assert seen == {
        "url": f"{gateway.url}/where?q=/",
        "external": f"{gateway.url}/where",
        "root": f"{gateway.url}/",
        "remote": "127.0.0.1",
        "scheme": "http",
        "script": "",
        "secure": False,
    }
    assert httpx.get(f"{gateway.url}/moved").headers["location"] == f"{gateway.url}/where"


def test_what_a_client_says_of_itself_is_not_believed(gateway: GatewayProcess) -> None:
    lies = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    underscored = {name.replace("-", "_"): value for name, value in lies.items()}
    for path in ("/where", "/proxied/where"):
        for headers in (lies, underscored, {"Forwarded": "for=10.0.0.1;proto=https"}):
            seen = httpx.get(gateway.url + path, headers=headers).json()
            assert (seen["remote"], seen["scheme"]) == ("127.0.0.1", "http")
            assert "evil" not in str(seen)
    seen = httpx.get(f"{gateway.url}/new/where", headers=lies).json()
    assert seen["remote"] == seen["forwarded"] == "127.0.0.1"


def test_a_trusted_proxy_is_believed_by_both_kinds_of_app(gateway: GatewayProcess) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.9")
    said = {
        "X-Forwarded-For": "6.6.6.6, 198.51.100.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": "/shop",
    }
    with httpx.Client(transport=transport, base_url=gateway.url, headers=said) as client:
        seen = client.get("/where").json()
        assert seen["url"] == seen["external"] == "https://shop.example/shop/where"
        assert (seen["remote"], seen["script"], seen["secure"]) == ("198.51.100.7", "/shop", True)
        assert client.get("/moved").headers["location"] == "https://shop.example/shop/where"
        seen = client.get("/proxied/where").json()
        assert seen["external"] == "https://shop.example/shop/proxied/where"
        assert seen["remote"] == "198.51.100.7"
        seen = client.get("/new/where").json()
        assert seen["url"] == seen["external"] == "https://shop.example/shop/new/where"
        assert seen["remote"] == "198.51.100.7"
        assert "; Secure" in client.get("/books").headers["set-cookie"]


def test_cookies_pass_both_ways_one_by_one(gateway: GatewayProcess) -> None:
    answer = httpx.get(f"{gateway.url}/cookies", headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])
    assert answer.json() == {"a": "1", "b": "2", "c": "3"}
    assert answer.headers.get_list("set-cookie") == ["one=1; Path=/", "two=2; HttpOnly; Path=/"]


def test_the_lifespan_state_reaches_the_requests(gateway: GatewayProcess) -> None:
    assert httpx.get(f"{gateway.url}/new/state").json() == "yes"


def test_a_failure_is_a_500_without_the_inside(gateway: GatewayProcess) -> None:
    """Flask answers its own 500: the gateway leaves it as it is."""
    answer = httpx.get(f"{gateway.url}/fails")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text


def test_a_failure_in_the_middle_breaks_the_connection(gateway: GatewayProcess) -> None:
    parts = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", "/breaks")
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    eventually(lambda: "in the middle" in gateway.log() or "after its answer had begun" in gateway.log())


def test_the_sticky_cookie_holds_in_every_worker(gateway: GatewayProcess) -> None:
    sides = set()
    for _ in range(12):
        # Without the system's certificates, which httpx would read each time.
        first = httpx.get(f"{gateway.url}/books", verify=False)
        (cookie,) = first.headers.get_list("set-cookie")
        name, _, value = cookie.partition(";")[0].partition("=")
        for _ in range(4):
            again = httpx.get(f"{gateway.url}/books", cookies={name: value}, verify=False)
            assert again.text == first.text
            assert "set-cookie" not in again.headers
        sides.add(first.text.strip('"'))
    assert sides == {"legacy", "new"}


def test_hostile_paths_never_reach_an_app(gateway: GatewayProcess) -> None:
    parts = urlsplit(gateway.url)
    for path in ("/new/../where", "/new/%2e%2e/where", "/new/..%2fwhere", "/%00", "/a%5c..%5cb", "/\\a"):
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := raw.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 400 "), path
        assert b"application/problem+json" in answer


async def test_streams_and_websockets_live_on_through_a_reload(gateway: GatewayProcess, routes: Path) -> None:
    loop = asyncio.get_running_loop()
    address = gateway.url.replace("http", "ws") + "/new/echo"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("echo.v1")]) as chat:
        assert chat.subprotocol == "echo.v1"
        await chat.send("before")
        assert await chat.recv() == "before"
        async with (
            httpx.AsyncClient() as client,
            client.stream("GET", f"{gateway.url}/new/ticks", timeout=5) as stream,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == "0"
            version = config(gateway)["version"]
            replace(routes, ROUTES.replace("legacy: 50, new: 50", "legacy: 20, new: 80"))
            await loop.run_in_executor(None, eventually, lambda: config(gateway)["version"] > version)
            seen = [int(await anext(lines)) for _ in range(20)]
            assert seen == list(range(1, 21))
        await chat.send("after")
        assert await chat.recv() == "after"


async def raw_get(gateway: GatewayProcess, path: str) -> tuple[int, dict[str, str], bytes]:
    """One request over a connection of its own, at the cost of a few system calls: two hundred run at once here."""
    parts = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


async def test_slow_flask_requests_neither_hold_up_the_others_nor_get_lost(gateway: GatewayProcess) -> None:
    """Two workers with 8 threads and 40 waiting places each: of 200, up to 96 are answered, the rest told to return."""
    flood = [asyncio.create_task(raw_get(gateway, "/slow?s=0.25")) for _ in range(200)]
    await asyncio.sleep(0.3)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(10):
        assert (await raw_get(gateway, "/new/books"))[0] == 200
    took = loop.time() - begun
    assert not all(task.done() for task in flood)
    assert took < 1.0
    answers = await asyncio.gather(*flood)
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 48
    for status, headers, body in answers:
        if status == 503:
            assert int(headers["retry-after"]) >= 1
            assert b'"title": "Service Unavailable"' in body
        else:
            assert body == b"slow"
