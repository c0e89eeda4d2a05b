"""Which bytes belong to which request, and whose turn it is. Over sockets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tests.server.serving import CHUNKED, GET, POST, Gate, Served, answer, echo, wait_until, whole_body


async def show(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the scope."""
    seen = {key: value for key, value in scope.items() if key not in ("headers", "state", "asgi", "extensions")}
    seen["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    body = await whole_body(receive)
    await answer(send, json.dumps({**seen, "body": body.decode()}, default=lambda raw: raw.decode("latin-1")).encode())


def seen(served: Served, request: bytes) -> dict[str, Any]:
    served.app = show
    response = served.exchange(request)
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


def test_the_scope(served: Served) -> None:
    scope = seen(served, b"GET /a%2Fb/%C3%A9?x=%20 HTTP/1.1\r\nHost: a:1\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    client = scope.pop("client")
    assert client[0] == "127.0.0.1"
    assert scope == {
        "type": "http",
        "http_version": "1.1",
        "server": ["127.0.0.1", served.port],
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/a/b/é",
        "raw_path": "/a%2Fb/%C3%A9",
        "query_string": "x=%20",
        "headers": [["host", "a:1"], ["x-a", "1"], ["x-a", "2"]],
        "body": "",
    }


def test_bytes_beyond_ascii_in_the_path(served: Served) -> None:
    scope = seen(served, b"GET /\xc3\xa9/\xff HTTP/1.1\r\nHost: a\r\n\r\n")
    assert scope["raw_path"] == "/Ã©/ÿ"
    assert scope["path"] == "/é/�"


def test_http_1_0(served: Served) -> None:
    with served.connect() as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.response()
        assert response.get("connection") == "close"
        assert client.is_closed()


def test_the_target_of_the_absolute_form_replaces_host(served: Served) -> None:
    scope = seen(served, b"GET http://b:2/p?q HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n")
    assert (scope["path"], scope["query_string"]) == ("/p", "q")
    assert scope["headers"] == [["host", "b:2"], ["x", "1"]]


def test_trailers_are_dropped(served: Served) -> None:
    # RFC 9110 6.5.1.
    scope = seen(served, CHUNKED + b"5\r\nhello\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\nHost: evil\r\n\r\n")
    assert scope["body"] == "hello"
    assert [name for name, _ in scope["headers"]] == ["host", "transfer-encoding"]


def test_options_of_the_server(served: Served) -> None:
    # No app is asked: there is no path to route by.
    served.app = show
    with served.connect() as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        response = client.response()
        assert response.status == 204
        assert response.get("content-length") is None
        assert client.response().status == 200


def test_empty_lines_before_a_request_are_ignored(served: Served) -> None:
    # RFC 9112 2.2.
    with served.connect() as client:
        for data in (b"\r\n" + GET, b"\r\n\r\n", GET, b"\r", b"\n" + GET):
            client.send(data)
            if data.endswith(GET):
                assert client.response().status == 200


def test_a_head_in_pieces(served: Served) -> None:
    served.app = echo
    request = POST + b"Content-Length: 5\r\n\r\nhello"
    with served.connect() as client:
        for position in range(len(request)):
            client.send(request[position : position + 1])
            time.sleep(0.0005)
        assert client.response().body == b"hello"


@pytest.mark.parametrize(
    "encoded",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n",
    ],
)
def test_pipelined_requests_are_answered_in_order(served: Served, encoded: bytes) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        # Later ones would be quicker.
        await asyncio.sleep(0.05 if scope["path"] == "/1" else 0)
        await answer(send, scope["path"].encode() + body)

    served.app = app
    request = b"POST /%d HTTP/1.1\r\nHost: a\r\n" + encoded
    with served.connect() as client:
        client.send(b"".join(request % number for number in range(1, 6)))
        assert [client.response().body for _ in range(5)] == [b"/%dhello" % number for number in range(1, 6)]


def test_pipelining_is_bounded(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await answer(send, b"x")

    served.app = app
    with served.connect() as client:
        client.send(GET)
        wait_until(lambda: served.tasks == 1)
        # No more than the kernel's buffers and one read of ours.
        assert client.send_while_read(GET * 2_000_000) < len(GET) * 1_000_000
        assert served.tasks == 1
        gate.open()
        assert client.response().body == b"x"


def test_what_follows_connection_close_is_ignored(served: Served) -> None:
    with served.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)
        response = client.response()
        assert response.get("connection") == "close"
        client.end()
        assert client.is_closed()


def test_requests_are_counted(served: Served) -> None:
    before = served.server.server_state.total_requests
    with served.connect() as client:
        client.send(GET * 3)
        for _ in range(3):
            client.response()
    wait_until(lambda: served.server.server_state.total_requests >= before + 3)
