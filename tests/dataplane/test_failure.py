from __future__ import annotations

import logging

import pytest
from starlette.types import Receive, Scope, Send

from gateway.dataplane.app import Gateway
from tests.dataplane.asgi_client import get


async def raises(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("secret detail")


async def returns(scope: Scope, receive: Receive, send: Send) -> None:
    return


@pytest.mark.parametrize("app", [raises, returns])
async def test_what_a_client_wrote_drives_no_terminal(app: object, caplog: pytest.LogCaptureFixture) -> None:
    # U+009B is ESC [ to many of them, U+0085 the end of a line to some readers, U+202E turns what follows around.
    gateway = Gateway.from_dict({"version": 1, "default": "app"}, apps={"app": app})
    await gateway.start()
    with caplog.at_level(logging.ERROR, "gateway"):
        await get(gateway, "/", raw_path="/a\u009b31m\u0085b\u202ec".encode())
    await gateway.stop()
    (record,) = caplog.records
    assert record.getMessage().isascii()
    assert "GET /a%C2%9B31m%C2%85b%E2%80%AEc" in record.getMessage()
