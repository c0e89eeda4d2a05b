from __future__ import annotations

import pytest

from gateway.routing.host import HostError, host_pattern, request_host


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("example.com", "example.com"),
        ("Shop.Example.COM", "shop.example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("*.Example.com", "*.example.com"),
        ("192.0.2.1", "192.0.2.1"),
        ("my_service", "my_service"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
    ],
)
def test_patterns_have_one_form(text: str, pattern: str) -> None:
    assert host_pattern(text) == pattern
    assert host_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://example.com", "leave scheme and path out"),
        ("example.com/shop", "leave scheme and path out"),
        ("example.com:8000", "without their port; write 'example.com'"),
        ("[::1]:8000", r"without their port; write '\[::1\]'"),
        ("*", "would match every host"),
        ("shop.*.com", "the whole first label"),
        ("*.*.com", "the whole first label"),
        ("*shop.com", "the whole first label"),
        ("bücher.example", "starts with xn--"),
        ("", "is not a host name"),
        ("*.", "is not a host name|every host"),
        ("a..b", "is not a host name"),
        ("-a.com", "is not a host name"),
        ("a b", "is not a host name"),
        ("[1.2.3.4]", "is not an IPv6 address"),
        ("1:2:3", "is not an IPv6 address"),
        ("::1]", "is not an IPv6 address|one bracket of two"),
        ("[::1", "one bracket of two"),
    ],
)
def test_what_is_not_a_host_is_told_so(text: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        host_pattern(text)


@pytest.mark.parametrize(
    ("field", "host"),
    [
        (b"example.com", "example.com"),
        (b"Example.COM:8000", "example.com"),
        (b"example.com.", "example.com"),
        (b"example.com.:443", "example.com"),
        (b"[::1]:8000", "[::1]"),
        (b"[2001:DB8::0:1]", "[2001:db8::1]"),
        (b"[not an address]:1", "[not an address]"),
        (b"", ""),
        (b":80", ""),
        (b"\xff", "ÿ"),
    ],
)
def test_the_host_of_a_request(field: bytes, host: str) -> None:
    assert request_host([(b"accept", b"*/*"), (b"host", field)]) == host


def test_a_request_without_host_has_none() -> None:
    assert request_host([(b"x-forwarded-host", b"example.com")]) == ""
