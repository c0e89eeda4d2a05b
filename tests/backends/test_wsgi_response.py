from __future__ import annotations

import pytest

from gateway.backends import wsgi_response
from gateway.backends.wsgi_response import length_field, parse_status, raw_headers, without_length


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("404 Nobody here by that name", 404),
        ("299", 299),
        ("204 ", 204),
        ("599 \xe9", 599),
    ],
)
def test_status_lines(status: str, code: int) -> None:
    assert parse_status(status) == code
    assert parse_status(status) == code


@pytest.mark.parametrize(
    "status",
    ["", "OK", "20 OK", "2000 OK", "200OK", " 200 OK", "200 OK\r\nX: y", "100 Continue", "101 Upgrade", "600 X"],
)
def test_what_is_no_status_line(status: str) -> None:
    with pytest.raises(ValueError, match="invalid status"):
        parse_status(status)


@pytest.mark.parametrize("status", [200, b"200 OK", None])
def test_a_status_must_be_a_str(status: object) -> None:
    with pytest.raises(TypeError):
        parse_status(status)  # type: ignore[arg-type]


def test_fields_become_bytes_with_lower_case_names() -> None:
    raw, length = raw_headers([("Content-Type", "text/html"), ("X-A", "caf\xe9"), ("Set-Cookie", "a=1")])
    assert raw == [(b"content-type", b"text/html"), (b"x-a", b"caf\xe9"), (b"set-cookie", b"a=1")]
    assert length is None


def test_cookies_stay_separate_and_in_order() -> None:
    raw, _ = raw_headers([("Set-Cookie", "a=1"), ("set-cookie", "b=2")])
    assert raw == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]


def test_white_space_around_a_value_is_not_part_of_it() -> None:
    assert raw_headers([("A", " \tb c\t ")])[0] == [(b"a", b"b c")]


@pytest.mark.parametrize("name", ["Connection", "Keep-Alive", "Transfer-Encoding", "upgrade", "Proxy-Connection", "TE"])
def test_fields_of_the_connection_are_dropped(name: str) -> None:
    assert raw_headers([(name, "x"), ("A", "b")])[0] == [(b"a", b"b")]


@pytest.mark.parametrize(
    "value", ["a\r\nSet-Cookie: evil=1", "a\nb", "a\rb", "a\0b", "\x7f", "\x1f", "☕", "\n", "a\n"]
)
def test_a_value_cannot_split_the_response(value: str) -> None:
    with pytest.raises(ValueError, match="value of Location") as error:
        raw_headers([("Location", value)])
    assert "evil" not in str(error.value)


@pytest.mark.parametrize("name", ["", "A B", "A:", "A\r\n", "É", "A\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="invalid name"):
        raw_headers([(name, "x")])


def test_types() -> None:
    with pytest.raises(TypeError, match="name of a field"):
        raw_headers([(b"A", "x")])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="value of A"):
        raw_headers([("A", b"x")])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="value of A"):
        raw_headers([("A", 1)])  # type: ignore[list-item]


def test_the_declared_length() -> None:
    assert raw_headers([("Content-Length", "12")]) == ([(b"content-length", b"12")], 12)
    assert raw_headers([("Content-Length", "12"), ("content-length", "12")]) == ([(b"content-length", b"12")], 12)
    assert without_length([(b"content-length", b"12"), (b"a", b"b")]) == [(b"a", b"b")]
    assert length_field(12) == (b"content-length", b"12")


@pytest.mark.parametrize("value", ["-1", "+1", "1_0", "0x1", "", "1 2", "²", "9" * 5000])
def test_what_is_no_length(value: str) -> None:
    with pytest.raises(ValueError, match="invalid Content-Length"):
        raw_headers([("Content-Length", value)])


def test_two_lengths() -> None:
    with pytest.raises(ValueError, match="two different"):
        raw_headers([("Content-Length", "12"), ("Content-Length", "13")])


def test_the_memory_of_names_and_statuses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, bytes] = {}
    statuses: dict[str, int] = {}
    monkeypatch.setattr(wsgi_response, "_names", names)
    monkeypatch.setattr(wsgi_response, "_statuses", statuses)
    for number in range(3000):
        assert raw_headers([(f"X-{number}", "")]) == ([(b"x-%d" % number, b"")], None)
        assert parse_status(f"200 {number}") == 200
    assert len(names) <= 1024
    assert len(statuses) <= 1024
