from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse

from gateway.control.loopback import LoopbackOnly, is_loopback


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8001", "localhost.", "127.0.0.1", "127.0.0.1:8001", "127.9.9.9", "[::1]", "[::1]:80"],
)
def test_loopback_names_and_addresses_are_ours(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0",
        "::1",
        "[::1].evil.example",
        "[::1",
    ],
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("host", "127.0.0.1:8001")], 200),
        ([("host", "evil.example:8001")], 421),
        ([], 421),
        ([("host", "localhost"), ("host", "evil.example")], 421),
    ],
)
async def test_a_page_that_rebinds_its_name_is_turned_away(headers: list[tuple[str, str]], status: int) -> None:
    transport = httpx.ASGITransport(LoopbackOnly(PlainTextResponse("secret")))
    async with httpx.AsyncClient(transport=transport) as client:
        request = httpx.Request("GET", "http://127.0.0.1:8001/", headers=[("x", "y"), *headers])
        if not headers:
            del request.headers["host"]
        response = await client.send(request)
    assert response.status_code == status
    if status == 421:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 421
        assert "secret" not in response.text
