from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.forwarded import Fields, ForwardedFields, port_of

X_FORWARDED: Fields = [
    (b"x-forwarded-for", b"203.0.113.9"),
    (b"x-forwarded-host", b"shop.example"),
    (b"x-forwarded-port", b"443"),
    (b"x-forwarded-proto", b"https"),
]
FORWARDED: Fields = [(b"forwarded", b"for=203.0.113.9;host=shop.example;proto=https")]


@pytest.mark.parametrize(
    ("style", "fields"),
    [("x-forwarded", X_FORWARDED), ("forwarded", FORWARDED), ("both", [*X_FORWARDED, *FORWARDED])],
)
def test_the_styles(style: str, fields: Fields) -> None:
    made = ForwardedFields(style)
    for _ in range(2):
        assert made.of("203.0.113.9", b"shop.example", b"", "https") == fields


@pytest.mark.parametrize(
    ("client", "node"),
    [
        ("203.0.113.9", b"203.0.113.9"),
        ("2001:db8:0::1", b'"[2001:db8::1]"'),
        ("fe80::1%eth0", b'"[fe80::1]"'),
        ("", b"unknown"),
        ("testclient", b"unknown"),
        ("1.2.3.4;proto=https", b"unknown"),
        ('"', b"unknown"),
    ],
)
def test_the_client_is_an_address_or_unknown(client: str, node: bytes) -> None:
    # RFC 7239 6: of IPv6, in brackets, and in quotes for the sake of the colons.
    assert ForwardedFields("forwarded").of(client, b"a", b"", "http") == [
        (b"forwarded", b"for=" + node + b";host=a;proto=http")
    ]


@pytest.mark.parametrize(
    ("host", "pair"),
    [
        (b"a", b"host=a;"),
        (b"a:8000", b'host="a:8000";'),
        (b"[::1]:8000", b'host="[::1]:8000";'),
        (b'a";proto=https;x="', b'host="a\\";proto=https;x=\\"";'),
        (b"a\\", b'host="a\\\\";'),
        (b"", b""),
    ],
)
def test_a_host_that_is_no_token_is_quoted(host: bytes, pair: bytes) -> None:
    assert ForwardedFields("forwarded").of("1.2.3.4", host, b"", "wss") == [
        (b"forwarded", b"for=1.2.3.4;" + pair + b"proto=https")
    ]


def unquoted(element: bytes) -> dict[bytes, bytes]:
    """A reader by the book (RFC 7239 4)."""
    pairs: dict[bytes, bytes] = {}
    while element:
        name, _, element = element.partition(b"=")
        value = b""
        if element[:1] == b'"':
            at = 1
            while element[at : at + 1] != b'"':
                at += element[at : at + 1] == b"\\"
                value += element[at : at + 1]
                at += 1
            element = element[at + 1 :]
        else:
            value, semicolon, element = element.partition(b";")
            element = semicolon + element
        assert name not in pairs
        pairs[name] = value
        assert element[:1] in (b"", b";")
        element = element[1:]
    return pairs


@given(st.binary(min_size=1, max_size=20).filter(lambda host: not set(host) & {10, 13, 0}))
def test_no_host_adds_a_parameter_of_its_own(host: bytes) -> None:
    [(_, value)] = ForwardedFields("forwarded").of("::1", host, b"", "http")
    assert unquoted(value) == {b"for": b"[::1]", b"host": host, b"proto": b"http"}


def test_the_memory_is_bounded() -> None:
    made = ForwardedFields("both")
    for number in range(5000):
        made.of("::1", b"%d.example" % number, b"", "http")
    made.of("::1", b"a" * 300, b"", "http")
    assert len(made._known) <= 4096
    assert not any(len(host) > 262 for _, host, _, _ in made._known)


@pytest.mark.parametrize(
    ("host", "scheme", "port"),
    [
        (b"a", "http", b"80"),
        (b"a", "wss", b"443"),
        (b"a:8000", "https", b"8000"),
        (b"[::1]:8000", "http", b"8000"),
        (b"[::1]", "http", b"80"),
        (b"::1", "http", b"80"),
        (b"a:", "http", b"80"),
    ],
)
def test_the_port_is_the_one_that_was_addressed(host: bytes, scheme: str, port: bytes) -> None:
    assert port_of(host, scheme) == port
