"""Answers that break off when they have begun, and nothing of them has gone out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.server.serving import GET, Served

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]}


async def raises(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    raise ValueError("on second thoughts")


async def returns(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)


async def waits_and_raises(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await asyncio.sleep(0.02)
    raise ValueError("too late")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served("uvloop")
    yield served
    served.stop()
    served.join()


def before(app: ASGIApp) -> Gateway:
    return Gateway.from_dict({"version": 1, "default": "only", "routes": []}, apps={"only": app})


@pytest.mark.parametrize("app", [raises, returns])
def test_the_client_is_told_and_the_log_says_the_same(
    served: Served, caplog: pytest.LogCaptureFixture, app: ASGIApp
) -> None:
    """The server made a 500 of it, while metrics and log had a 200 that nobody had seen."""
    served.app = before(app)
    with served.connect() as client:
        client.send(GET)
        response = client.response()
        # The server's own refusals have no id, and end the connection.
        assert (response.status, response.get("connection")) == (500, None)
        assert response.get("x-request-id")
    assert "had begun" not in caplog.text
    assert "in the middle" not in caplog.text


def test_what_has_gone_out_is_broken_off(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.app = before(waits_and_raises)
    with served.connect() as client:
        client.send(GET)
        assert client.rest().startswith(b"HTTP/1.1 200 ")
    assert "after its answer had begun; the connection is broken off" in caplog.text
