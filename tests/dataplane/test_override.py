"""What a tester sends to choose a side goes no further than the gateway, and what he gets is nobody else's."""

from __future__ import annotations

import json

import pytest

from gateway.config.model import Override
from gateway.dataplane.app import Gateway
from gateway.dataplane.override import OverrideRule
from tests.dataplane.asgi_client import get
from tests.dataplane.embedded import Echo, Serving, config

SECRET = "of-the-testers"
CACHEABLE = [(b"cache-control", b"public, max-age=60")]


@pytest.fixture
async def guarded(serve: Serving) -> Gateway:
    """Its testers know a secret, and every answer may be stored; what is at `/split` is split."""
    data = config({"path": "/split", "to": {"legacy": 50, "new": 50}}, override={"secret": SECRET})
    return await serve(data, legacy=Echo("legacy", CACHEABLE), new=Echo("new", CACHEABLE))


async def test_a_tester_overrides_by_header_over_cookie_over_weight(serve: Serving) -> None:
    override = {"header": "X-Side", "cookie": "side", "allow": ["203.0.113.0/24"]}
    gateway = await serve(config({"path": "/a", "to": "legacy"}, override=override))
    assert (await get(gateway, "/a", [(b"x-side", b"new")])).json["who"] == "new"
    assert (await get(gateway, "/zzz", [(b"cookie", b"side=new")])).json["who"] == "new"
    both = await get(gateway, "/a", [(b"x-side", b"legacy"), (b"cookie", b"side=new")])
    assert both.json["who"] == "legacy"
    assert "x-side" not in dict(both.json["headers"])
    stranger = await get(gateway, "/a", [(b"x-side", b"new")], client=("198.51.100.1", 1))
    assert stranger.json["who"] == "legacy"
    typo = await get(gateway, "/a", [(b"x-side", b"nwe")])
    assert typo.status == 400


async def test_an_override_can_need_a_secret(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": "legacy"}, override={"secret": "open sesame"}))
    sides = {
        value: (await get(gateway, "/a", [(b"x-gateway-backend", value)])).json["who"]
        for value in (b"new", b"new:", b"new:wrong", b"new:open sesame", b"nwe:wrong", b"new:\xff")
    }
    assert [value for value, side in sides.items() if side == "new"] == [b"new:open sesame"]


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ((b"x-gateway-backend", f"new:{SECRET}".encode()), None),
        ((b"cookie", f"gateway_backend=new:{SECRET}".encode()), None),
        ((b"cookie", f"a=1; gateway_backend=new:{SECRET};b=2".encode()), "a=1;b=2"),
        ((b"cookie", f"gateway_backend=new:{SECRET}; b=2".encode()), "b=2"),
    ],
)
async def test_no_app_gets_to_see_the_secret(guarded: Gateway, field: tuple[bytes, bytes], left: str | None) -> None:
    seen = (await get(guarded, "/", [field])).json
    assert seen["who"] == "new"
    assert SECRET not in json.dumps(seen)
    assert dict(seen["headers"]).get("cookie") == left


def test_other_cookies_stay_as_they_came() -> None:
    rule = OverrideRule(Override(secret=SECRET), ["legacy", "new"])
    fields = [(b"cookie", b" a=1;; my_gateway_backend=x; b "), (b"x-other", b"gateway_backend=new")]
    assert rule.without(fields) == fields


@pytest.mark.parametrize("field", [(b"x-gateway-backend", b"new"), (b"cookie", b"gateway_backend=new:wrong")])
async def test_who_may_not_override_leaves_no_trace_either(guarded: Gateway, field: tuple[bytes, bytes]) -> None:
    answer = await get(guarded, "/", [field])
    assert answer.json["who"] == "legacy"
    assert field[0].decode() not in dict(answer.json["headers"])
    assert answer.all(b"cache-control") == [b"public, max-age=60"]


async def test_an_overridden_answer_is_stored_by_no_cache(guarded: Gateway) -> None:
    # By the URL alone it is everybody's, and the header that chose it is no part of that.
    answer = await get(guarded, "/", [(b"x-gateway-backend", f"new:{SECRET}".encode())])
    assert answer.json["who"] == "new"
    assert answer.all(b"cache-control") == [b"public, max-age=60", b"no-store"]


async def test_an_answer_that_gives_out_an_id_is_shared_by_no_cache(guarded: Gateway) -> None:
    # RFC 9111 7.3: Set-Cookie alone does not keep an answer from being stored and given to others.
    first = await get(guarded, "/split")
    assert first.all(b"cache-control") == [b"public, max-age=60", b"private"]
    (cookie,) = first.all(b"set-cookie")
    again = await get(guarded, "/split", [(b"cookie", cookie.partition(b";")[0])])
    assert again.all(b"cache-control") == [b"public, max-age=60"]
