from __future__ import annotations

import pytest

from gateway.server.refusal import Refusal
from gateway.server.request_target import KNOWN_HOSTS, is_host, read_other_form


@pytest.mark.parametrize(
    "value",
    [
        b"a",
        b"example.org",
        b"example.org:8000",
        b"example.org.",
        b"my_service:80",
        b"127.0.0.1",
        b"[::1]",
        b"[::1]:8000",
        b"[::ffff:127.0.0.1]:1",
        b"a:",
        b"xn--caf-dma.example",
        b"%41.example",
    ],
)
def test_hosts(value: bytes) -> None:
    assert is_host(value)
    assert value in KNOWN_HOSTS


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b":80",
        b"a b",
        b"a/b",
        b"a?b",
        b"a#b",
        b"user@a",
        b"a:b",
        b"a:80:80",
        b"a:123456",
        b"a:-1",
        b"::1",
        b"[::1",
        b"[x]",
        b"[]",
        b"a\\b",
        b'a"b',
        b"<a>",
        b"a%",
        b"a%4",
        b"a\xffb",
        b"a\n",
        b"a" * 256,
    ],
)
def test_not_hosts(value: bytes) -> None:
    assert not is_host(value)
    assert value not in KNOWN_HOSTS


def test_hosts_are_remembered_within_bounds() -> None:
    for number in range(3000):
        assert is_host(b"host-%d" % number)
    assert len(KNOWN_HOSTS) <= 1024


@pytest.mark.parametrize(
    ("target", "authority", "path", "query"),
    [
        (b"http://a/", b"a", b"/", b""),
        (b"HTTP://a:1/p/q?r=s?t", b"a:1", b"/p/q", b"r=s?t"),
        (b"https://a/x", b"a", b"/x", b""),
        (b"http://a", b"a", b"/", b""),
        (b"http://a?q", b"a", b"/", b"q"),
        (b"http://[::1]:2//x", b"[::1]:2", b"//x", b""),
    ],
)
def test_absolute_form(target: bytes, authority: bytes, path: bytes, query: bytes) -> None:
    assert read_other_form(b"GET", target) == (authority, path, query)


@pytest.mark.parametrize(
    "target",
    [
        b"*",
        b"",
        b"a",
        b"a:80",
        b"?q",
        b"ftp://a/",
        b"http:/a",
        b"http:///p",
        b"http://u@a/",
        b"http://u:p@a/",
        b"http://@a/",
        b"http://a b/",
        b"//a/p",
        b"javascript://a/",
    ],
)
def test_what_is_no_target(target: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read_other_form(b"GET", target)
    assert caught.value.status == 400


def test_the_server_as_a_whole() -> None:
    # RFC 9112 3.2.4.
    assert read_other_form(b"OPTIONS", b"*") is None
    assert read_other_form(b"OPTIONS", b"http://a") is None
    assert read_other_form(b"OPTIONS", b"http://a?q") == (b"a", b"/", b"q")
