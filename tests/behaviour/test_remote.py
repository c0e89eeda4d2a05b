"""gunicorn and uvicorn as they are, behind a running gateway: it changes nothing that it need not change."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.behaviour.probe import replace
from tests.behaviour.process import eventually
from tests.behaviour.remote_apps import ROUTES, Stage, stage, to

BOTH = pytest.mark.parametrize("backend", ["legacy", "new"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("remote")) as running:
        yield running


@pytest.fixture(scope="module")
def client(running: Stage) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=10, verify=False) as client:
        yield client


def connect(running: Stage) -> socket.socket:
    parts = urlsplit(running.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=5)


@BOTH
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_request_arrives_as_it_was_sent(client: httpx.Client, running: Stage, backend: str, method: str) -> None:
    given = {
        **to(backend),
        "Host": "shop.example",
        "X-Twice": "a, b",
        "Cookie": "a=1; b=2",
        "X-Forwarded-For": "6.6.6.6",
    }
    answer = client.request(method, "/echo?q=%20x&q=2", headers=given, content=b"hello" if method != "GET" else None)
    said: dict[str, Any] = answer.json()
    headers = dict(said["headers"])
    assert (answer.status_code, said["app"], said["method"]) == (200, backend, method)
    assert said["url"] == "http://shop.example/echo?q=%20x&q=2"
    assert said["size"] == (5 if method != "GET" else 0)
    assert (headers["host"], headers["cookie"], headers["x-twice"]) == ("shop.example", "a=1; b=2", "a, b")
    assert (headers["x-forwarded-for"], headers["x-forwarded-host"]) == ("127.0.0.1", "shop.example")
    assert headers["via"] == "1.1 strangler-gateway"
    assert headers["x-request-id"]
    assert not {"connection", "x-gateway-backend", "transfer-encoding"} & headers.keys()
    assert answer.headers.get_list("set-cookie") == ["one=1; Path=/", "two=2; HttpOnly; Path=/"] or backend == "new"
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert len(answer.headers.get_list("date")) == 1


@BOTH
def test_a_body_of_unknown_length_arrives_whole(client: httpx.Client, backend: str) -> None:
    parts = [b"x" * 70_000, b"", b"y" * 3, b"z" * 200_000]
    answer = client.post("/digest", content=iter(parts), headers=to(backend))
    assert answer.text == hashlib.sha256(b"".join(parts)).hexdigest()


@BOTH
def test_head_and_conditional_answers_have_no_content(client: httpx.Client, backend: str) -> None:
    for _ in range(3):
        answer = client.head("/tagged", headers=to("legacy"))
        assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "6")
        answer = client.get("/tagged", headers={**to("legacy"), "If-None-Match": '"v1"'})
        assert (answer.status_code, answer.content) == (304, b"")
        assert client.head("/echo", headers=to(backend)).status_code == (200 if backend == "legacy" else 405)


def test_100_continue_comes_from_the_app(running: Stage) -> None:
    with connect(running) as connection:
        connection.sendall(
            b"POST /digest HTTP/1.1\r\nHost: a\r\nX-Gateway-Backend: new\r\nExpect: 100-continue\r\n"
            b"Content-Length: 5\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.read().decode() == hashlib.sha256(b"hello").hexdigest()


def test_an_app_that_refuses_a_body_is_not_sent_it(running: Stage) -> None:
    with connect(running) as connection:
        connection.sendall(
            b"POST /refuse HTTP/1.1\r\nHost: a\r\nX-Gateway-Backend: new\r\nExpect: 100-continue\r\n"
            b"Content-Length: 500000000\r\n\r\n"
        )
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read()) == (413, b"too large")


def test_an_address_of_the_app_does_not_leak(client: httpx.Client, running: Stage) -> None:
    answer = client.get("/leak", headers={**to("legacy"), "Host": "shop.example"})
    assert answer.headers["location"] == "http://shop.example/echo?x=1"


def test_an_event_stream_is_passed_on_as_it_comes_and_ends_with_its_client(running: Stage) -> None:
    with httpx.Client(timeout=5, verify=False) as client:
        begun = time.monotonic()
        with client.stream("GET", running.url + "/events?name=stream", headers=to("new")) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "data: 0"
            assert time.monotonic() - begun < 1
            assert next(lines) == ""
            assert next(lines) == "data: 1"
        assert not running.left("stream")
    eventually(lambda: running.left("stream"))


def test_a_client_that_leaves_before_the_answer_ends_it(running: Stage) -> None:
    with connect(running) as connection:
        connection.sendall(b"GET /think?name=think HTTP/1.1\r\nHost: a\r\nX-Gateway-Backend: new\r\n\r\n")
        time.sleep(0.2)
        assert not running.left("think")
    eventually(lambda: running.left("think"))


def test_an_answer_that_breaks_off_breaks_the_clients_connection(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/breaks", headers=to("new"))


def test_an_app_that_is_down_is_a_502_that_tells_nothing(client: httpx.Client, running: Stage) -> None:
    answer = client.get("/", headers=to("gone"))
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/problem+json")
    assert answer.json()["detail"] == "The application cannot be reached."
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert "127.0.0.1" not in answer.text
    assert answer.json()["request_id"] in running.gateway.log()


def test_an_app_that_is_slow_is_a_504(client: httpx.Client) -> None:
    answer = client.get("/slow?s=1.5", headers=to("legacy"))
    assert (answer.status_code, answer.json()["detail"]) == (504, "The application did not begin its answer in time.")


@BOTH
def test_connections_that_the_server_has_closed_cost_no_request(client: httpx.Client, backend: str) -> None:
    # gunicorn keeps an idle connection for 2 s; ours is gone by then.
    assert client.post("/echo", headers=to(backend)).status_code == 200
    time.sleep(2.1 if backend == "legacy" else 0.1)
    assert client.post("/echo", headers=to(backend)).status_code == 200


def memory(running: Stage) -> int:
    """Bytes of the worker that are in memory, and of nobody else's."""
    [pid] = running.gateway.worker_pids()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def test_long_bodies_pass_without_being_kept(client: httpx.Client, running: Stage) -> None:
    client.get("/echo", headers=to("new"))
    before = memory(running)
    most = 0
    end = threading.Event()

    def look() -> None:
        nonlocal most
        while not end.is_set():
            most = max(most, memory(running))
            time.sleep(0.02)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        found = hashlib.sha256()
        size = 0
        with client.stream("GET", "/zeros/128", headers=to("new")) as answer:
            for part in answer.iter_bytes():
                size += len(part)
        assert size == 128 << 20
        part = bytes(1 << 20)
        for _ in range(64):
            found.update(part)
        sent = client.post("/digest", content=(part for _ in range(64)), headers=to("new"))
        assert sent.text == found.hexdigest()
    finally:
        end.set()
        looking.join()
    assert most - before < 32 << 20


def test_a_server_can_be_restarted_and_a_route_moved_while_it_runs(tmp_path: Path) -> None:
    patient = ROUTES.replace("head: 0.6", "head: 10")
    with stage(tmp_path, patient) as running, httpx.Client(base_url=running.url, verify=False) as client:
        first = client.get("/echo").json()
        # gunicorn's master puts new workers in the place of the old ones.
        os.kill(parent_of(first["pid"]), signal.SIGHUP)
        until = time.monotonic() + 5
        while (said := client.get("/echo").json())["pid"] == first["pid"]:
            assert time.monotonic() < until
        assert said["app"] == "legacy"
        replace(running.gateway.routes, running.gateway.routes.read_text().replace("default: legacy", "default: new"))
        eventually(lambda: client.get("/echo").json()["app"] == "new")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
