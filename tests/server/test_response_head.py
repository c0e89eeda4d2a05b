from __future__ import annotations

import pytest

from gateway.server.response_head import DefaultFields, write_head

DATE = (b"date", b"today")
DEFAULTS = DefaultFields([DATE, (b"server", b"us"), (b"x-extra", b"1")])
NONE = DefaultFields([])


def text(*fields: tuple[bytes, bytes], status: int = 200, defaults: DefaultFields = NONE) -> bytes:
    return b"".join(write_head(status, fields, defaults)[0])


def test_fields_are_written_as_they_are_given() -> None:
    assert text((b"X-B", b"1"), (b"x-a", b""), (b"X-B", b"2")) == b"HTTP/1.1 200 OK\r\nX-B: 1\r\nx-a: \r\nX-B: 2"


@pytest.mark.parametrize(
    ("status", "line"), [(404, b"HTTP/1.1 404 Not Found"), (299, b"HTTP/1.1 299 "), (999, b"HTTP/1.1 999 ")]
)
def test_status_lines(status: int, line: bytes) -> None:
    assert text(status=status) == line


@pytest.mark.parametrize("status", [0, 99, 100, 101, 199, 1000, -1, "200", None])
def test_what_is_no_status_of_a_response(status: int) -> None:
    with pytest.raises(ValueError, match="not the status"):
        text(status=status)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), [b"Date: today", b"Server: us", b"x-extra: 1"]),
        (((b"date", b"then"),), [b"Server: us", b"x-extra: 1", b"date: then"]),
        (((b"Server", b"app"),), [b"Date: today", b"x-extra: 1", b"Server: app"]),
        (((b"server", b"app"), (b"Date", b"then")), [b"x-extra: 1", b"server: app", b"Date: then"]),
    ],
)
def test_date_and_server_of_the_app_take_the_place_of_ours(
    given: tuple[tuple[bytes, bytes], ...], expected: list[bytes]
) -> None:
    assert text(*given, defaults=DEFAULTS).split(b"\r\n")[1:] == expected


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\n", b"\xe9", b"a\0", b"(a)", b"a\n"])
def test_names_that_are_none(name: bytes) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="not the name"):
            text((name, b"1"))


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0", b"\x01", b"\x7f", b"\r\n\r\nbody"])
@pytest.mark.parametrize("name", [b"x-a", b"date", b"server", b"connection"])
def test_control_characters_in_values_are_refused(name: bytes, value: bytes) -> None:
    # Response splitting, RFC 9110 5.5.
    with pytest.raises(ValueError, match="control character"):
        text((b"x-ok", b"1"), (name, value))


def test_what_may_stand_in_a_value() -> None:
    assert text((b"x", b"a\tb \xe9\xff~")).endswith(b"x: a\tb \xe9\xff~")


@pytest.mark.parametrize("field", [("x", b"1"), (b"x", "1"), (b"x", None), (b"content-length", 5)])
def test_what_is_not_bytes_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        text(field)


def test_content_length() -> None:
    for name in (b"content-length", b"Content-Length"):
        assert write_head(200, [(name, b"5")], NONE)[1:] == (5, False)
        assert text((name, b"5")) == b"HTTP/1.1 200 OK\r\n%b: 5" % name
    assert write_head(200, [], NONE)[1:] == (None, False)


def test_content_length_is_written_once() -> None:
    assert text((b"content-length", b"5"), (b"Content-Length", b"5")).count(b": 5") == 1
    with pytest.raises(ValueError, match="differ"):
        text((b"content-length", b"5"), (b"content-length", b"6"))


@pytest.mark.parametrize("value", [b"", b"+5", b"5 ", b"0x5", b"5,5", b"-1", b"\xb2", b"5\r\n"])
def test_content_lengths_that_are_none(value: bytes) -> None:
    with pytest.raises(ValueError, match="content-length"):
        text((b"content-length", value))


def test_no_content_length_with_204() -> None:
    # RFC 9110 8.6.
    assert text((b"content-length", b"0"), status=204) == b"HTTP/1.1 204 No Content"
    assert b"content-length: 5" in text((b"content-length", b"5"), status=304)


def test_what_describes_the_connection_is_ours() -> None:
    # RFC 9112 6.1 and 9.6, RFC 9110 7.6.1.
    hop_by_hop = [b"Transfer-Encoding", b"keep-alive", b"Proxy-Connection", b"trailer", b"TE"]
    assert text(*((name, b"chunked") for name in hop_by_hop)) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("value", "close", "written"),
    [
        (b"close", True, b""),
        (b"keep-alive", False, b""),
        (b"Close, X-Hop", True, b"\r\nConnection: X-Hop"),
        (b"Upgrade", False, b"\r\nConnection: Upgrade"),
        (b"", False, b""),
    ],
)
def test_connection(value: bytes, close: bool, written: bytes) -> None:
    assert write_head(200, [(b"Connection", value)], NONE)[1:] == (None, close)
    assert text((b"Connection", value)) == b"HTTP/1.1 200 OK" + written


def test_names_are_remembered_within_bounds() -> None:
    from gateway.http1.field_name import KNOWN

    for number in range(3000):
        text((b"x-%d" % number, b"1"))
    assert len(KNOWN) <= 1024
