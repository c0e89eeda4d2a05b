"""The sample migration, as a person tries it: the repository's own routes.yaml and both apps behind `gateway run`."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.behaviour.probe import config, replace
from tests.behaviour.process import ROOT, GatewayProcess, eventually

ALICE = {"email": "alice@example.com", "password": "wonderland"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bookshop") / "routes.yaml"
    path.write_text((ROOT / "routes.yaml").read_text())
    return path


@pytest.fixture(scope="module")
def shop(routes: Path) -> Iterator[GatewayProcess]:
    database = {"DATABASE_URL": f"sqlite:///{routes.parent / 'bookshop.db'}", "THIRD_PARTY_URL": "http://127.0.0.1:9"}
    with GatewayProcess(routes, env=database) as running:
        yield running


@pytest.fixture
def browser(shop: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, headers={"User-Agent": "a browser"}, timeout=10) as client:
        yield client


def edit(shop: GatewayProcess, old: str, new: str) -> None:
    """Save routes.yaml with ``new`` in the place of ``old``, and wait until it is live."""
    text = shop.routes.read_text()
    assert old in text
    version = config(shop)["version"]
    replace(shop.routes, text.replace(old, new))
    eventually(lambda: config(shop)["version"] == version + 1)


def backend_of(shop: GatewayProcess, route: str) -> dict[str, float]:
    """Answers so far by backend, from the metrics page."""
    counts: dict[str, float] = {}
    for line in shop.ask("/metrics").text.splitlines():
        match = re.fullmatch(r'gateway_requests_total\{backend="(\w+)",.*route="([^"]*)".*\} (.+)', line)
        if match and match[2] == route:
            counts[match[1]] = counts.get(match[1], 0.0) + float(match[3])
    return counts


def log_in_on_flask(browser: httpx.Client) -> httpx.Response:
    form = browser.get("/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    return browser.post("/login", data={**ALICE, "csrf_token": token[1]})


def test_pages_come_from_flask_and_moved_endpoints_from_fastapi(shop: GatewayProcess, browser: httpx.Client) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert browser.get("/books/7").json()["title"] == "The Time Machine"
    assert browser.get("/docs").status_code == 200
    eventually(lambda: backend_of(shop, "GET,HEAD /books/{id:int}") == {"new": 1})
    eventually(lambda: backend_of(shop, "default").get("legacy", 0) >= 1)
    assert browser.get("/books/abc").status_code == 404
    assert browser.get("/reports/sales.csv").text.startswith("line,ordered_at,")


def test_a_login_on_flask_is_seen_by_fastapi(shop: GatewayProcess, browser: httpx.Client) -> None:
    assert browser.get("/me").status_code == 401
    answer = log_in_on_flask(browser)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    me = browser.get("/me")
    assert (me.status_code, me.json()["email"]) == (200, "alice@example.com")
    eventually(lambda: backend_of(shop, "/me").keys() == {"new"})


def test_a_login_on_fastapi_opens_flasks_pages(browser: httpx.Client) -> None:
    assert browser.get("/catalogue/new").status_code == 302
    assert browser.post("/sessions", json=ALICE).status_code == 201
    form = browser.get("/catalogue/new")
    assert form.status_code == 200
    assert browser.delete("/sessions").status_code == 204
    assert browser.get("/catalogue/new").status_code == 302


def test_what_one_side_writes_the_other_reads(shop: GatewayProcess, browser: httpx.Client) -> None:
    browser.post("/sessions", json=ALICE)
    book = browser.post("/books", json={"title": "Middlegame", "author": "S. McGuire"})
    assert book.status_code == 201
    assert browser.get(book.headers["location"]).json()["title"] == "Middlegame"
    assert browser.delete(book.headers["location"]).status_code == 204
    assert browser.get(book.headers["location"]).status_code == 404
    assert backend_of(shop, "GET,HEAD /books/{id:int}").keys() == {"new"}


def answered_by(shop: GatewayProcess, route: str, client: httpx.Client, path: str, cookie: str = "") -> str:
    """Ask, and tell which backend answered. It is counted once the answer is out, so it may take a moment to show."""
    before = backend_of(shop, route)
    assert client.get(path, headers={"Cookie": cookie}).status_code == 200
    eventually(lambda: sum(backend_of(shop, route).values()) > sum(before.values()))
    (backend,) = (name for name, count in backend_of(shop, route).items() if count > before.get(name, 0))
    return backend


def test_the_canary_keeps_each_user_on_one_side_and_moves_nobody_back(shop: GatewayProcess) -> None:
    with httpx.Client(base_url=shop.url) as client:
        users = []
        for _ in range(40):
            users.append(client.get("/books").headers["set-cookie"].partition(";")[0])
            client.cookies.clear()

        def sides() -> list[str]:
            return [answered_by(shop, "GET,HEAD /books", client, "/books", user) for user in users]

        at_10 = sides()
        edit(shop, "to: {legacy: 90, new: 10}", "to: {legacy: 40, new: 60}")
        at_60 = sides()
        assert at_60.count("new") > at_10.count("new")
        assert all(after == "new" for before, after in zip(at_10, at_60, strict=True) if before == "new")
        edit(shop, "to: {legacy: 40, new: 60}", "to: {legacy: 90, new: 10}")
        assert sides() == at_10


def test_one_key_brings_an_endpoint_back(shop: GatewayProcess, browser: httpx.Client) -> None:
    route = "GET,HEAD /books/{id:int}"
    moved = (
        "methods: [GET, HEAD] # a route has exactly the methods it lists; PUT and DELETE are still Flask's\n    to: "
    )
    edit(shop, moved + "new", moved + "legacy")
    assert answered_by(shop, route, browser, "/books/7") == "legacy"
    edit(shop, moved + "legacy", moved + "new")
    assert answered_by(shop, route, browser, "/books/7") == "new"


def test_a_broken_edit_changes_nothing_and_says_why(shop: GatewayProcess, browser: httpx.Client) -> None:
    text = shop.routes.read_text()
    version = config(shop)["version"]
    replace(shop.routes, text.replace("default: legacy", "default: lagacy"))
    eventually(lambda: config(shop)["state"] == "rejected")
    (problem,) = config(shop)["problems"]
    assert re.fullmatch(r"routes\.yaml:\d+:10: unknown backend 'lagacy'; did you mean 'legacy'\?", problem)
    assert problem in shop.log()
    assert browser.get("/books/7").status_code == 200
    replace(shop.routes, text)
    eventually(lambda: config(shop)["state"] == "live")
    assert config(shop)["version"] == version


async def test_the_chat_knows_who_logged_in_and_the_events_tell_of_the_other_app(shop: GatewayProcess) -> None:
    async with httpx.AsyncClient(base_url=shop.url, headers={"User-Agent": "a browser"}) as browser:
        await browser.post("/sessions", json=ALICE)
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        address = shop.url.replace("http", "ws") + "/ws/chat"
        async with websockets.connect(
            address, additional_headers={"Cookie": cookie, "User-Agent": "a browser"}, user_agent_header=None
        ) as alice:
            assert json.loads(await alice.recv())["name"].startswith("Alice")
            await alice.send(json.dumps({"body": "hello"}))
            assert json.loads(await alice.recv())["body"] == "hello"
        async with browser.stream("GET", "/events/catalogue", timeout=10) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            # POST /books is still Flask's.
            post = asyncio.create_task(browser.post("/books", json={"title": "Kindred", "author": "O. Butler"}))
            async for line in events.aiter_lines():
                if line.startswith("data:") and "Kindred" in line:
                    break
            assert (await post).status_code == 201


def test_a_big_upload_passes_at_flat_memory(shop: GatewayProcess) -> None:
    """200 MB as one multipart file, through the gateway into Flask, which spools it to disk."""
    (worker,) = shop.worker_pids()
    size, block = 200 * 1024 * 1024, bytes(range(256)) * 4096
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    before = peak_memory(worker)
    connection = http.client.HTTPConnection(urlsplit(shop.url).netloc, timeout=30)
    connection.putrequest("POST", "/uploads")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders()
    connection.send(head)
    digest = hashlib.sha256()
    for _ in range(size // len(block)):
        connection.send(block)
        digest.update(block)
    connection.send(tail)
    answer = connection.getresponse()
    (file,) = json.load(answer)["files"]
    connection.close()
    assert file == {"name": "big.bin", "size": size, "sha256": digest.hexdigest()}
    assert peak_memory(worker) - before < 32 * 1024 * 1024


def peak_memory(pid: int) -> int:
    """The most memory the process has ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024
