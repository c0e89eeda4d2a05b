from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gateway.routing.sticky import (
    Sticky,
    client_id,
    client_network,
    cookie_value,
    cookie_values,
    header_value,
    set_cookie,
)


@pytest.mark.parametrize(
    ("text", "sticky"),
    [
        ("cookie", Sticky("cookie")),
        ("cookie:Session", Sticky("cookie", b"Session")),
        ("header:X-User", Sticky("header", b"x-user")),
        ("ip", Sticky("ip")),
        ("none", Sticky("none")),
    ],
)
def test_parse(text: str, sticky: Sticky) -> None:
    assert Sticky.parse(text) == sticky


@pytest.mark.parametrize("text", ["", "cookies", "cookie:", "header", "header:", "ip:x", "none:", "Cookie"])
def test_parse_refuses_all_else(text: str) -> None:
    with pytest.raises(ValueError, match="is not cookie"):
        Sticky.parse(text)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ([b"id=1"], "1"),
        ([b"a=0; id=1; b=2"], "1"),
        ([b"a=0;id=1;b=2"], "1"),
        ([b"  id = 1  ;"], "1"),
        ([b'id="1"'], "1"),
        ([b'id="'], '"'),
        ([b"id=a=b=="], "a=b=="),
        ([b"id=1; id=2"], "1"),
        ([b"id=; id=2"], "2"),
        ([b'id=""'], None),
        ([b"a=0", b"id=1", b"id=2"], "1"),
        ([b"id; a=1"], None),
        ([b"=id; id"], None),
        ([b"xid=1; idx=2; ID=3"], None),
        ([b"a=id=1"], None),
        ([b";;;id=1"], "1"),
        ([b"id=\xff"], "ÿ"),
        ([], None),
        ([b""], None),
    ],
)
def test_cookie_value(lines: list[bytes], value: str | None) -> None:
    headers = [(b"accept", b"id=9"), *((b"cookie", line) for line in lines)]
    assert cookie_value(headers, b"id") == value


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.from_regex(r"[!-:<-~]{0,6}", fullmatch=True)))
def test_reads_what_the_standard_library_reads(cookies: dict[str, str]) -> None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load("; ".join(f"{name}={value}" for name, value in cookies.items()))
    except CookieError:
        reject()  # it takes the equals sign of `a==""` for a part of the name
    line = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in jar.items()).encode()
    for name, morsel in jar.items():
        if '"' not in morsel.coded_value:
            assert cookie_value([(b"cookie", line)], name.encode()) == (morsel.value or None)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40)), st.sampled_from([b"id", b"a"]))
def test_any_bytes_are_read_without_failing(lines: list[bytes], name: bytes) -> None:
    for value in cookie_values([(b"cookie", line) for line in lines], name):
        assert value


def test_header_value() -> None:
    headers = [(b"x-user", b""), (b"x-user", b" jim "), (b"x-user", b"eve")]
    assert header_value(headers, b"x-user") == "jim"
    assert header_value(headers, b"x-other") is None
    assert header_value([(b"x-user", b"  ")], b"x-user") is None


@pytest.mark.parametrize("text", ["a" * 16, "Az0_-" * 4, "b" * 64])
def test_ids_that_the_gateway_may_have_given(text: str) -> None:
    assert client_id([(b"cookie", b"id=" + text.encode())], b"id") == text


@pytest.mark.parametrize("text", ["", "a" * 15, "a" * 65, "a" * 16 + "\n!", "a" * 16 + " b", "é" * 16, "a" * 15 + "="])
def test_ids_that_it_cannot(text: str) -> None:
    assert client_id([(b"cookie", b"id=" + text.encode())], b"id") is None


def test_a_broken_id_does_not_hide_the_good_one() -> None:
    good = "0123456789abcdef"
    assert client_id([(b"cookie", b"id=broken; id=" + good.encode())], b"id") == good
    assert client_id([(b"cookie", b"id=broken")], b"id") is None
    assert client_id([(b"cookie", b'id="' + good.encode() + b'"')], b"id") == good


def test_set_cookie() -> None:
    assert (
        set_cookie("strangler_id", "abc", max_age=60, domain=None, secure=False)
        == b"strangler_id=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=60"
    )
    assert (
        set_cookie("id", "abc", max_age=31536000, domain="example.com", secure=True)
        == b"id=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000; Domain=example.com; Secure"
    )


def test_set_cookie_is_read_back_by_the_standard_library() -> None:
    jar: SimpleCookie = SimpleCookie(set_cookie("id", "abc", max_age=60, domain=".a.com", secure=True).decode())
    assert jar["id"].value == "abc"
    assert (jar["id"]["path"], jar["id"]["max-age"], jar["id"]["domain"]) == ("/", "60", ".a.com")
    assert jar["id"]["httponly"]
    assert jar["id"]["secure"]


@pytest.mark.parametrize("domain", ["", "a.com; Path=/x", "a.com\r\nSet-Cookie: b=1", "a b", "a..b", "a.com\n"])
def test_set_cookie_refuses_a_domain_that_is_none(domain: str) -> None:
    with pytest.raises(ValueError, match="not a cookie domain"):
        set_cookie("id", "abc", max_age=60, domain=domain, secure=False)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        ("unix:/run/x", "unix:/run/x"),
        ("", ""),
    ],
)
def test_client_network(address: str, network: str) -> None:
    assert client_network(address) == network
