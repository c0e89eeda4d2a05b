from __future__ import annotations

import pytest

from gateway.upstream.rewrite import public_address, rewrite
from tests.upstream.scripted import a_scope

ORIGIN = b"http://app.internal:5000"
PUBLIC = b"https://shop.example/m"


def one(name: bytes, value: bytes, origin: bytes = ORIGIN) -> bytes:
    [(same, changed)] = rewrite([(name, value)], origin, PUBLIC)
    assert same == name
    return changed


@pytest.mark.parametrize("name", [b"location", b"content-location"])
@pytest.mark.parametrize(
    ("value", "public"),
    [
        (b"http://app.internal:5000", PUBLIC),
        (b"http://app.internal:5000/a?b#c", PUBLIC + b"/a?b#c"),
        (b"HTTP://App.Internal:5000/a", PUBLIC + b"/a"),
        (b"http://app.internal:5000?a", PUBLIC + b"?a"),
    ],
)
def test_the_apps_own_address_becomes_the_public_one(name: bytes, value: bytes, public: bytes) -> None:
    assert one(name, value) == public


@pytest.mark.parametrize(
    "value",
    [
        b"/a",
        b"//app.internal:5000/a",
        b"http://app.internal/a",
        b"http://app.internal:50001/a",
        b"http://app.internal:5000@evil.example/a",
        b"http://app.internal:5000.evil.example/a",
        b"https://app.internal:5000/a",
        b"/?next=http://app.internal:5000/a",
    ],
)
def test_any_other_stays(value: bytes) -> None:
    assert one(b"location", value) == value
    assert one(b"x-location", ORIGIN + b"/a") == ORIGIN + b"/a"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"a=1; Domain=app.internal; Path=/", b"a=1; Path=/"),
        (b"a=1;DOMAIN = .APP.internal ;Secure", b"a=1;Secure"),
        (b"a=1; domain=app.internal", b"a=1"),
        (b"a=1; Domain=internal", b"a=1; Domain=internal"),
        (b"a=app.internal; Path=/", b"a=app.internal; Path=/"),
        (b"Domain=app.internal", b"Domain=app.internal"),
        (b"a=1; dOmAiN=app.internal", b"a=1"),
    ],
)
def test_a_cookie_for_the_apps_own_host_is_for_the_public_one(value: bytes, kept: bytes) -> None:
    assert one(b"set-cookie", value) == kept


def test_hosts_of_other_forms() -> None:
    assert one(b"set-cookie", b"a=1; Domain=app", b"https://app") == b"a=1"
    assert one(b"set-cookie", b"a=1; Domain=::1", b"http://[::1]") == b"a=1; Domain=::1"
    assert one(b"location", b"http://[::1]:5000/a", b"http://[::1]:5000") == PUBLIC + b"/a"
    assert one(b"location", b"unix:/run/app.sock", b"unix:/run/app.sock") == PUBLIC


def test_the_public_address_is_what_the_client_sees() -> None:
    assert public_address(a_scope(headers=[(b"host", b"shop.example:8443")])) == b"http://shop.example:8443"
    assert public_address({**a_scope(root_path="/a b"), "scheme": "https"}) == b"https://shop.example/a%20b"
