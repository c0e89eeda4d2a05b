from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.backends import wsgi_environ
from gateway.backends.wsgi_environ import base_environ, body_length, build_environ
from gateway.backends.wsgi_errors import ErrorLog
from tests.backends.asgi import http_scope

BASE = base_environ(ErrorLog(logging.getLogger("test")))


def environ(**scope: Any) -> dict[str, Any]:
    return build_environ(BASE, http_scope(**scope))


def test_the_variables_that_pep_3333_requires() -> None:
    built = environ(method="POST", path="/a", query_string=b"x=1", headers=[(b"host", b"shop.example")])
    assert {key: value for key, value in built.items() if key != "wsgi.errors"} == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a",
        "QUERY_STRING": "x=1",
        "RAW_URI": "/a?x=1",
        "REQUEST_URI": "/a?x=1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": BASE["SERVER_SOFTWARE"],
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "shop.example",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": BASE["wsgi.file_wrapper"],
        "wsgi.input_terminated": True,
    }
    assert isinstance(built["wsgi.errors"], io.TextIOBase)


def test_requests_do_not_share_an_environ() -> None:
    environ()["HTTP_X"] = "1"
    assert "HTTP_X" not in environ()


@pytest.mark.parametrize(
    ("path", "path_info"),
    [
        ("/", "/"),
        ("/café/☕", "/caf\xc3\xa9/\xe2\x98\x95"),
        ("/a%2Fb", "/a%2Fb"),
        ("//a//b", "//a//b"),
        ("/a b", "/a b"),
        ("/\udcff", "/\xff"),  # a byte that was not UTF-8, decoded with surrogateescape
    ],
)
def test_path_info_holds_the_bytes_of_the_path(path: str, path_info: str) -> None:
    built = build_environ(BASE, http_scope() | {"path": path})
    assert (built["SCRIPT_NAME"], built["PATH_INFO"]) == ("", path_info)


@pytest.mark.parametrize(
    ("root_path", "path", "script_name", "path_info"),
    [
        ("/shop", "/shop/books", "/shop", "/books"),
        ("/shop/", "/shop/books", "/shop", "/books"),
        ("/shop", "/shop", "/shop", ""),
        ("/shop", "/shopping", "/shop", "/shopping"),
        ("/shop", "/books", "/shop", "/books"),  # a server that leaves the root path out of the path
        ("/café", "/café/x", "/caf\xc3\xa9", "/x"),
        ("/", "/x", "", "/x"),
    ],
)
def test_the_root_path_is_the_script_name(root_path: str, path: str, script_name: str, path_info: str) -> None:
    built = build_environ(BASE, http_scope(root_path=root_path) | {"path": path})
    assert (built["SCRIPT_NAME"], built["PATH_INFO"]) == (script_name, path_info)


def test_the_request_target_is_passed_as_it_was_sent() -> None:
    built = environ(path="/a/b", raw_path=b"/a%2Fb", query_string=b"q=%20\xe9")
    assert built["RAW_URI"] == built["REQUEST_URI"] == "/a%2Fb?q=%20\xe9"
    assert built["QUERY_STRING"] == "q=%20\xe9"


def test_a_server_without_raw_path() -> None:
    scope = http_scope() | {"path": "/é b"}
    del scope["raw_path"]
    assert build_environ(BASE, scope)["RAW_URI"] == "/%C3%A9%20b"


def test_fields_become_variables() -> None:
    built = environ(
        headers=[
            (b"x-request-id", b"7"),
            (b"content-type", b"text/plain"),
            (b"content-length", b"3"),
            (b"x-e", b"\xe9"),
        ]
    )
    assert built["HTTP_X_REQUEST_ID"] == "7"
    assert built["CONTENT_TYPE"] == "text/plain"
    assert built["CONTENT_LENGTH"] == "3"
    assert built["HTTP_X_E"] == "\xe9"
    assert "HTTP_CONTENT_TYPE" not in built
    assert "HTTP_CONTENT_LENGTH" not in built


def test_an_underscore_cannot_pose_as_a_dash() -> None:
    built = environ(headers=[(b"x_forwarded_for", b"6.6.6.6"), (b"content_type", b"a/b"), (b"X_Y", b"1")])
    assert not [key for key in built if key.startswith(("HTTP_", "CONTENT_"))]
    built = environ(headers=[(b"x-forwarded-for", b"1.2.3.4"), (b"x_forwarded_for", b"6.6.6.6")])
    assert built["HTTP_X_FORWARDED_FOR"] == "1.2.3.4"


def test_httpoxy() -> None:
    assert "HTTP_PROXY" not in environ(headers=[(b"proxy", b"http://evil.example")])
    assert "HTTP_PROXY" not in environ(headers=[(b"Proxy", b"http://evil.example")])


def test_repeated_fields_are_joined_as_their_syntax_wants() -> None:
    built = environ(
        headers=[(b"cookie", b"a=1"), (b"x", b"1"), (b"cookie", b"b=2"), (b"x", b"1"), (b"x", b""), (b"cookie", b"c")]
    )
    assert built["HTTP_COOKIE"] == "a=1; b=2; c"
    assert built["HTTP_X"] == "1,1,"


def test_the_memory_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(wsgi_environ._KEYS)
    monkeypatch.setattr(wsgi_environ, "_KEYS", known)
    assert "HTTP_" + "X" * 100_000 in environ(headers=[(b"x" * 100_000, b"")])
    assert "HTTP_X_4999" in environ(headers=[(b"x-%d" % number, b"") for number in range(5000)])
    assert len(known) <= 1024
    assert max(map(len, known)) <= 64


@pytest.mark.parametrize(
    ("server", "host", "scheme", "expected"),
    [
        (("10.0.0.1", 81), b"shop.example", "http", ("10.0.0.1", "81")),
        (("/run/gateway.sock", None), b"shop.example", "http", ("shop.example", "80")),
        (("/run/gateway.sock", None), b"shop.example:8443", "https", ("shop.example", "8443")),
        (None, b"shop.example", "https", ("shop.example", "443")),
        (None, b"[::1]", "http", ("[::1]", "80")),
        (None, b"[::1]:81", "http", ("[::1]", "81")),
        (None, b"", "http", ("localhost", "80")),
    ],
)
def test_the_server_has_a_name_and_a_port(
    server: tuple[str, int | None] | None, host: bytes, scheme: str, expected: tuple[str, str]
) -> None:
    built = environ(server=server, scheme=scheme, headers=[(b"host", host)])
    assert (built["SERVER_NAME"], built["SERVER_PORT"]) == expected
    assert built["wsgi.url_scheme"] == scheme


def test_a_client_without_an_address() -> None:
    built = environ(client=None)
    assert built["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in built


@pytest.mark.parametrize(
    ("method", "version", "headers", "length"),
    [
        ("GET", "1.1", [], 0),
        ("GET", "1.0", [], 0),
        ("GET", "2", [], None),
        ("POST", "1.1", [], None),
        ("POST", "1.1", [(b"content-length", b"0")], 0),
        ("POST", "1.1", [(b"content-length", b"12")], 12),
        ("GET", "1.1", [(b"content-length", b"12")], 12),
        ("POST", "1.1", [(b"transfer-encoding", b"chunked")], None),
        ("GET", "1.1", [(b"transfer-encoding", b"chunked")], None),
        ("POST", "1.1", [(b"content-length", b"12"), (b"transfer-encoding", b"chunked")], None),
        ("POST", "1.1", [(b"content-length", b"12"), (b"content-length", b"13")], None),
        ("POST", "1.1", [(b"content-length", b"-1")], None),
        ("POST", "1.1", [(b"content-length", "²".encode("latin-1"))], None),
        ("POST", "1.1", [(b"content-length", b"9" * 5000)], None),
    ],
)
def test_the_length_of_the_body(
    method: str, version: str, headers: list[tuple[bytes, bytes]], length: int | None
) -> None:
    built = environ(method=method, http_version=version, headers=headers)
    assert body_length(built) == length
    assert built.get("CONTENT_LENGTH") == (str(length) if length is not None and headers else None)


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).map(str.encode)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=8)), max_size=8))
def test_no_field_overwrites_a_variable_of_the_server(headers: list[tuple[bytes, bytes]]) -> None:
    built = environ(headers=headers)
    plain = environ()
    assert {key: built[key] for key in plain} == plain
    assert all(isinstance(built[key], str) for key in built if "." not in key)
    named = {name.decode().upper().replace("-", "_") for name, _ in headers if b"_" not in name}
    assert {key.removeprefix("HTTP_") for key in built.keys() - plain.keys()} <= named
