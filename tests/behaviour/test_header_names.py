"""Header names reach the other side as they were spelt, through a running gateway and with either kind of backend."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.wire.app import ScriptedApp
from tests.behaviour.process import GatewayProcess

APPS = """
from flask import Flask, Response, request

flask = Flask(__name__)

@flask.get("/flask")
def told():
    answer = Response("|".join((request.headers["x-custom"], request.environ["HTTP_SEC_CH_UA"])))
    answer.headers.add("X-AnsweR", "1")
    answer.headers.add("x-answer", "2")
    return answer

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    headers = dict(scope["headers"])
    body = headers[b"x-custom"] + b"|" + headers[b"sec-ch-ua"]
    fields = [(b"x-answer", b"1"), (b"X-AnsweR", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
"""
ROUTES = """\
version: 1
backends:
  flask: {app: "apps:flask"}
  asgi: {app: "apps:asgi"}
  remote: {url: "http://127.0.0.1:PORT"}
default: remote
routes:
  - {path: "/flask", to: flask}
  - {path: "/asgi", to: asgi}
"""
SAID = (
    b"host: shop.example",
    b"X-CusTom: 1",
    b"sec-ch-ua: x",
    b"COOKIE: a=1",
    b"x-custom: 2",
    b"Cookie: b=2",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"tracestate: a=1,b=2",
    b"TraceState: c=3",
)
ANSWER = (
    b"DATE: then",
    b"X-RateLimit-Limit: 5",
    b"set-cookie: a=1",
    b"Set-Cookie: b=2",
    b"etag: 1",
    b"ETag: 2",
    b"content-LENGTH: 2",
)


@pytest.fixture(scope="module")
def app() -> Iterator[ScriptedApp]:
    answer = b"\r\n".join((b"HTTP/1.1 200 OK", *ANSWER, b"", b"ok"))
    with ScriptedApp({"names": answer}, frozenset()) as app:
        yield app


@pytest.fixture(scope="module")
def running(app: ScriptedApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder: Path = tmp_path_factory.mktemp("names")
    (folder / "apps.py").write_text(APPS)
    (folder / "routes.yaml").write_text(ROUTES.replace("PORT", str(app.address[1])))
    with GatewayProcess(folder / "routes.yaml", cwd=folder) as gateway:
        yield gateway


def ask(running: GatewayProcess, path: bytes) -> tuple[list[bytes], bytes]:
    """The lines of the answer's head, and its content."""
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        client.sendall(b"\r\n".join((b"GET %b HTTP/1.1" % path, *SAID, b"Connection: close", b"", b"")))
        told = b""
        while piece := client.recv(65536):
            told += piece
    head, _, content = told.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), content


def test_to_a_remote_app_and_back(running: GatewayProcess, app: ScriptedApp) -> None:
    told, content = ask(running, b"/probe/names")
    assert content == b"ok"
    # Whatever else the gateway says, it says behind them, or before them in the answer.
    _, *heard = app.asked("names")[-1].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert tuple(heard[: len(SAID)]) == SAID
    assert [line.partition(b":")[0] for line in heard[len(SAID) :]] == [
        *(b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Port", b"X-Forwarded-Proto", b"X-Request-Id", b"Via")
    ]
    assert [line for line in told if line in ANSWER] == list(ANSWER)
    assert told[-1] == b"Connection: close"


@pytest.mark.parametrize(
    ("path", "said", "answer"),
    [
        (b"/flask", b"1,2|x", [b"X-AnsweR: 1", b"x-answer: 2"]),
        (b"/asgi", b"2|x", [b"x-answer: 1", b"X-AnsweR: 2"]),
    ],
)
def test_an_app_in_this_process_reads_as_ever_and_is_heard_as_it_speaks(
    running: GatewayProcess, path: bytes, said: bytes, answer: list[bytes]
) -> None:
    told, content = ask(running, path)
    assert content == said
    assert [line for line in told if line.lower().startswith(b"x-answer")] == answer
