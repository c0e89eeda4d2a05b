"""103 Early Hints (RFC 8297): from either kind of app, through a running gateway, before the answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from benchmarks.wire.app import OK, ScriptedApp
from tests.behaviour.process import GatewayProcess

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
APP = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if "http.response.early_hint" in scope["extensions"]:
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload; as=style"]})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("hints")
    (folder / "hinting.py").write_text(APP)
    with ScriptedApp({"remote": HINTS + OK}, frozenset()) as remote:
        (folder / "routes.yaml").write_text(
            "version: 1\n"
            f'backends: {{remote: {{url: "http://127.0.0.1:{remote.address[1]}"}}, embedded: {{app: "hinting:app"}}}}\n'
            "default: remote\n"
            "routes: [{path: /probe/embedded, to: embedded}]\n"
        )
        with GatewayProcess(folder / "routes.yaml", cwd=folder) as gateway:
            yield gateway


@pytest.mark.parametrize("kind", [b"remote", b"embedded"])
def test_they_reach_the_client_before_the_answer(running: GatewayProcess, kind: bytes) -> None:
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        # The second request goes out on a connection that is open already.
        for _ in range(2):
            client.sendall(b"GET /probe/%b HTTP/1.1\r\nHost: a\r\n\r\n" % kind)
            assert client.recv(len(HINTS), socket.MSG_WAITALL) == HINTS
            answer = HTTPResponse(client)
            answer.begin()
            assert (answer.status, answer.read()) == (200, b"ok")


def test_an_http_1_0_client_gets_none(running: GatewayProcess) -> None:
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        client.sendall(b"GET /probe/remote HTTP/1.0\r\n\r\n")
        assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
