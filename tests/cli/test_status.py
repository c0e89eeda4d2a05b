"""`gateway status` before a server that answers as an admin listener does, and before some that do not.

With a real gateway: tests/behaviour/test_status.py.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.control.run_file import Run, RunFile
from gateway.history.folder import state_folder
from tests.cli.conftest import Invoke


class Answering(HTTPServer):
    """Answers every request with ``status`` and ``body``; ``asked`` is the last one's Authorization."""

    status = 200
    body = b"{}"
    asked: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked = self.headers.get("authorization")
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_without_a_gateway_it_says_how_to_start_one(folder: Path, invoke: Invoke) -> None:
    done = invoke("status")
    assert done.code == 1
    place = state_folder(folder / "routes.yaml")
    assert done.err == (
        f"no gateway runs with the state folder {place}: start one with `gateway run`, or give --admin URL\n"
    )


def test_a_gateway_without_the_listener(folder: Path, invoke: Invoke) -> None:
    held = RunFile.take(state_folder(folder / "routes.yaml"))
    assert held is not None
    held.write(Run(4711, None, str(folder / "routes.yaml")))
    try:
        done = invoke("status")
    finally:
        held.release()
    assert (done.code, done.err) == (
        1,
        "the gateway (pid 4711) has no admin listener: it was started with --admin off\n",
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "nonsense", "ftp://127.0.0.1", "http://[::1"])
def test_what_is_no_url(folder: Path, invoke: Invoke, url: str) -> None:
    done = invoke("status", "--admin", url)
    assert (done.code, done.err) == (1, f"'{url}' is not a URL such as http://127.0.0.1:8001\n")


def test_nobody_there(folder: Path, invoke: Invoke) -> None:
    done = invoke("status", "--json", GATEWAY_ADMIN="http://127.0.0.1:1")
    assert done.code == 1
    told = json.loads(done.out)
    assert told["kind"] == "not-told"
    assert told["message"].startswith("http://127.0.0.1:1 does not answer: ")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"app": "legacy"}'])
def test_somebody_else_there(folder: Path, invoke: Invoke, server: Answering, body: bytes) -> None:
    server.body = body
    done = invoke("status", "--admin", server.url)
    assert (done.code, done.err) == (1, f"{server.url} is not the admin listener of a gateway\n")


def test_a_token_that_is_wanted(folder: Path, invoke: Invoke, server: Answering) -> None:
    server.status, server.body = 401, b'{"title": "Unauthorized", "status": 401}'
    done = invoke("status", "--admin", server.url)
    assert (done.code, server.asked) == (1, None)
    assert done.err == f"{server.url} wants a token: set GATEWAY_ADMIN_TOKEN, or GATEWAY_ADMIN_READ_TOKEN\n"
    invoke("status", "--admin", server.url, GATEWAY_ADMIN_READ_TOKEN="read-0123456789ab")
    assert server.asked == "Bearer read-0123456789ab"


def test_a_refusal_is_passed_on(folder: Path, invoke: Invoke, server: Answering) -> None:
    server.status, server.body = 429, b'{"title": "Too Many Requests", "detail": "wait 50 s"}'
    done = invoke("status", "--admin", server.url)
    assert (done.code, done.err) == (1, f"{server.url} refuses: wait 50 s\n")
