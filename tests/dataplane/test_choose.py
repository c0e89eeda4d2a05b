from __future__ import annotations

from tests.dataplane.asgi_client import get
from tests.dataplane.embedded import Serving, config


async def test_a_split_sets_its_cookie_once_and_keeps_its_word(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 50, "new": 50}, "sticky": "cookie"}))
    for _ in range(20):
        first = await get(gateway, "/b")
        (cookie,) = first.all(b"set-cookie")
        assert cookie.startswith(b"strangler_id=")
        assert b"HttpOnly" in cookie
        assert b"SameSite=Lax" in cookie
        assert b"Secure" not in cookie
        pair = cookie.partition(b";")[0]
        for _ in range(3):
            again = await get(gateway, "/b", [(b"cookie", b"session=x; " + pair)])
            assert again.all(b"set-cookie") == []
            assert again.json["who"] == first.json["who"]


async def test_the_cookie_is_secure_behind_https(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 50, "new": 50}}))
    assert b"; Secure" in (await get(gateway, "/b", scheme="https")).all(b"set-cookie")[0]


async def test_no_split_no_cookie(serve: Serving) -> None:
    gateway = await serve(config({"path": "/b", "to": {"legacy": 0, "new": 100}}, {"path": "/c", "to": "new"}))
    for path in ("/b", "/c", "/d"):
        assert (await get(gateway, path)).all(b"set-cookie") == []
    assert (await get(gateway, "/b")).json["who"] == "new"


async def test_routes_of_a_group_agree_and_others_do_not_follow(serve: Serving) -> None:
    half = {"to": {"legacy": 50, "new": 50}, "sticky": "header:X-User"}
    gateway = await serve(
        config({"path": "/a", "group": "g", **half}, {"path": "/b", "group": "g", **half}, {"path": "/c", **half})
    )
    sides = {"a": "", "b": "", "c": ""}
    for user in range(200):
        for path in sides:
            answer = await get(gateway, f"/{path}", [(b"x-user", str(user).encode())])
            assert answer.all(b"set-cookie") == []
            sides[path] += answer.json["who"][0]
    assert sides["a"] == sides["b"] != sides["c"]
    assert 70 < sides["a"].count("n") < 130


async def test_without_a_key_the_draw_is_even(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": {"legacy": 90, "new": 10}, "sticky": "none"}))
    drawn = [(await get(gateway, "/a")).json["who"] for _ in range(50)]
    assert 4 <= drawn.count("new") <= 6


async def test_the_address_can_be_the_key(serve: Serving) -> None:
    gateway = await serve(config({"path": "/a", "to": {"legacy": 50, "new": 50}, "sticky": "ip"}))
    sides = set()
    for number in range(40):
        client = (f"198.51.100.{number}", 1)
        first = (await get(gateway, "/a", client=client)).json["who"]
        assert (await get(gateway, "/a", client=(client[0], 2))).json["who"] == first
        sides.add(first)
    assert sides == {"legacy", "new"}
