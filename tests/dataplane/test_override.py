"""What a tester sends to choose a side goes no further than the gateway, and what he gets is nobody else's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.config.model import Override
from gateway.dataplane.app import Gateway
from gateway.dataplane.override import OverrideRule
from tests.dataplane.asgi_client import get

SECRET = "of-the-testers"


def echo(who: str) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        cacheable = [(b"cache-control", b"public, max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": cacheable})
        await send({"type": "http.response.body", "body": json.dumps({"who": who, "headers": headers}).encode()})

    return app


@asynccontextmanager
async def serving(*routes: dict[str, Any]) -> AsyncIterator[Gateway]:
    data = {"version": 1, "default": "legacy", "override": {"secret": SECRET}, "routes": list(routes)}
    gateway = Gateway.from_dict(data, apps={"legacy": echo("legacy"), "new": echo("new")})
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ((b"x-gateway-backend", f"new:{SECRET}".encode()), None),
        ((b"cookie", f"gateway_backend=new:{SECRET}".encode()), None),
        ((b"cookie", f"a=1; gateway_backend=new:{SECRET};b=2".encode()), "a=1;b=2"),
        ((b"cookie", f"gateway_backend=new:{SECRET}; b=2".encode()), "b=2"),
    ],
)
async def test_no_app_gets_to_see_the_secret(field: tuple[bytes, bytes], left: str | None) -> None:
    async with serving() as gateway:
        seen = (await get(gateway, "/", [field])).json
    assert seen["who"] == "new"
    assert SECRET not in json.dumps(seen)
    assert dict(seen["headers"]).get("cookie") == left


def test_other_cookies_stay_as_they_came() -> None:
    rule = OverrideRule(Override(secret=SECRET), ["legacy", "new"])
    fields = [(b"cookie", b" a=1;; my_gateway_backend=x; b "), (b"x-other", b"gateway_backend=new")]
    assert rule.without(fields) == fields


@pytest.mark.parametrize("field", [(b"x-gateway-backend", b"new"), (b"cookie", b"gateway_backend=new:wrong")])
async def test_who_may_not_override_leaves_no_trace_either(field: tuple[bytes, bytes]) -> None:
    async with serving() as gateway:
        answer = await get(gateway, "/", [field])
    assert answer.json["who"] == "legacy"
    assert field[0].decode() not in dict(answer.json["headers"])
    assert answer.all(b"cache-control") == [b"public, max-age=60"]


async def test_an_overridden_answer_is_stored_by_no_cache() -> None:
    # By the URL alone it is everybody's, and the header that chose it is no part of that.
    async with serving() as gateway:
        answer = await get(gateway, "/", [(b"x-gateway-backend", f"new:{SECRET}".encode())])
    assert answer.json["who"] == "new"
    assert answer.all(b"cache-control") == [b"public, max-age=60", b"no-store"]


async def test_an_answer_that_gives_out_an_id_is_shared_by_no_cache() -> None:
    # RFC 9111 7.3: Set-Cookie alone does not keep an answer from being stored and given to others.
    async with serving({"path": "/split", "to": {"legacy": 50, "new": 50}}) as gateway:
        first = await get(gateway, "/split")
        assert first.all(b"cache-control") == [b"public, max-age=60", b"private"]
        (cookie,) = first.all(b"set-cookie")
        again = await get(gateway, "/split", [(b"cookie", cookie.partition(b";")[0])])
        assert again.all(b"cache-control") == [b"public, max-age=60"]
