"""What goes out before the answer: 100 Continue and 103 Early Hints. Over sockets."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.server.scripted_app import LENGTH_5, content, sends, start
from tests.server.serving import GET, HTTP_1_0, POST, Gate, Served, answer, echo, wait_until

# RFC 9110 10.1.1.
EXPECTING = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
HINT: Message = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>"]}


def test_continue_is_sent_once_and_when_the_body_is_asked_for(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.passed()
        await echo(scope, receive, send)

    served.app = app
    with served.connect() as client:
        client.send(EXPECTING)
        wait_until(lambda: served.tasks == 1)
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.more()
        client.socket.settimeout(5)
        gate.open()
        assert client.response().status == 100
        client.send(b"he")
        client.send(b"llo")
        assert client.response().body == b"hello"
        client.send(GET)
        assert client.response().status == 200


def test_no_continue_for_a_body_that_comes_unasked(served: Served) -> None:
    served.app = echo
    with served.connect() as client:
        client.send(EXPECTING + b"hello")
        response = client.response()
        assert (response.status, response.body) == (200, b"hello")


def test_no_continue_when_the_body_is_not_wanted(served: Served) -> None:
    with served.connect() as client:
        client.send(EXPECTING)
        response = client.response()
        # Whether the body comes now is not known, so nothing can be read after it.
        assert (response.status, response.get("connection")) == (200, "close")
        client.end()
        assert client.is_closed()


def test_no_continue_for_http_1_0(served: Served) -> None:
    served.app = echo
    with served.connect() as client:
        client.send(EXPECTING.replace(b"1.1", b"1.0"))
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.more()
        client.send(b"hello")
        assert client.response().body == b"hello"


def test_early_hints_go_out_at_once(served: Served) -> None:
    gate = Gate()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert "http.response.early_hint" in scope["extensions"]
        await send(HINT)
        await gate.passed()
        await send({**HINT, "links": []})
        await answer(send, b"hello")

    served.app = app
    with served.connect() as client:
        for _ in range(2):
            client.send(GET)
            hinted = client.response()
            assert (hinted.status, hinted.headers) == (103, [("Link", "</a.css>; rel=preload"), ("Link", "</b.js>")])
            gate.open()
            assert client.response().headers == []
            assert client.response().body == b"hello"


def test_early_hints_come_before_the_head_or_not_at_all(served: Served) -> None:
    sends(served, start(LENGTH_5), HINT, content(b"he", True), HINT, content(b"llo"))
    with served.connect() as client:
        client.send(GET)
        assert client.response().status == 103
        answered = client.response()
        assert (answered.status, answered.body) == (200, b"hello")


def test_http_1_0_gets_no_early_hints(served: Served) -> None:
    sends(served, HINT, start(LENGTH_5), content(b"hello"))
    assert served.exchange(HTTP_1_0).status == 200


@pytest.mark.parametrize("link", [b"</a>\r\nX: 1", b"\0"])
def test_early_hints_that_end_their_line_are_refused(served: Served, link: bytes) -> None:
    sends(served, {**HINT, "links": [b"</b>", link]}, start(LENGTH_5), content(b"hello"))
    assert served.exchange(GET).status == 500
