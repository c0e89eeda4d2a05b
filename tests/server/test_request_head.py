from __future__ import annotations

import pytest

from gateway.server.refusal import Refusal
from gateway.server.request_head import CHUNKED, RequestHead, check


def read(
    *fields: tuple[bytes, bytes],
    method: bytes = b"GET",
    target: bytes = b"/",
    http_1_0: bool = False,
    host: bool = True,
) -> RequestHead:
    return check(method, target, http_1_0, [*([(b"host", b"a")] if host else []), *fields])


def refused(*fields: tuple[bytes, bytes], **rest: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(*fields, **rest)  # type: ignore[arg-type]
    return caught.value


def test_host_is_owed_in_http_1_1_alone() -> None:
    # RFC 9112 3.2.
    assert refused(host=False).status == 400
    assert read(host=False, http_1_0=True).path == b"/"


@pytest.mark.parametrize("http_1_0", [True, False])
def test_two_hosts_are_refused(http_1_0: bool) -> None:
    assert refused((b"host", b"a"), http_1_0=http_1_0).status == 400
    assert refused((b"host", b"b"), http_1_0=http_1_0).status == 400


@pytest.mark.parametrize("http_1_0", [True, False])
def test_a_host_that_is_none_is_refused(http_1_0: bool) -> None:
    assert refused((b"host", b"a b"), host=False, http_1_0=http_1_0).status == 400


def test_the_authority_of_an_absolute_target_replaces_host() -> None:
    # RFC 9112 3.2.2. First, and only once, whatever Host said.
    request = read((b"x", b"1"), target=b"http://b:81/p?q")
    assert (request.path, request.query) == (b"/p", b"q")
    assert request.fields == [(b"host", b"b:81"), (b"x", b"1")]
    # The field is owed all the same.
    assert refused(target=b"http://b/", host=False).status == 400
    assert read(target=b"http://b/", host=False, http_1_0=True).fields == [(b"host", b"b")]


@pytest.mark.parametrize("target", [b"/a#b", b"/#", b"http://a/#b", b"/?#"])
def test_fragments_are_refused(target: bytes) -> None:
    assert refused(target=target).status == 400


def test_connect_and_trace_are_refused() -> None:
    assert refused(method=b"CONNECT", target=b"a:443").status == 501
    assert refused(method=b"CONNECT", target=b"/").status == 501
    trace = refused((b"max-forwards", b"0"), method=b"TRACE")
    assert trace.status == 405
    # RFC 9110 15.5.6.
    assert dict(trace.headers)[b"Allow"]
    assert refused(method=b"TRACE").status == 405


def test_options_of_the_server_has_no_path() -> None:
    assert read(method=b"OPTIONS", target=b"*").path is None
    assert read(method=b"OPTIONS", target=b"http://a").path is None
    assert read(method=b"OPTIONS", target=b"http://a/").path == b"/"
    assert refused(method=b"GET", target=b"*").status == 400


def test_lengths() -> None:
    assert read().length == 0
    assert read((b"content-length", b"12")).length == 12
    assert read((b"transfer-encoding", b"chunked")).length == CHUNKED
    assert read((b"transfer-encoding", b"CHUNKED")).length == CHUNKED


def test_transfer_codings_that_are_not_understood_are_501() -> None:
    # RFC 9112 6.1.
    assert refused((b"transfer-encoding", b"gzip, chunked")).status == 501


def test_transfer_encoding_in_http_1_0_is_400() -> None:
    # RFC 9112 6.1.
    assert refused((b"transfer-encoding", b"chunked"), http_1_0=True).status == 400


@pytest.mark.parametrize(
    ("value", "keep_alive"),
    [
        (b"close", False),
        (b"Close", False),
        (b"x, close", False),
        (b"x,close ,y", False),
        (b"keep-alive", True),
        (b"closed", True),
    ],
)
def test_connection_close(value: bytes, keep_alive: bool) -> None:
    assert read((b"connection", value)).keep_alive is keep_alive


def test_connection_close_in_one_of_several_fields() -> None:
    assert read((b"connection", b"close"), (b"connection", b"x")).keep_alive is False


def test_http_1_0_connections_are_not_kept() -> None:
    # RFC 9112 9.3: a proxy must not, even if asked.
    assert read((b"connection", b"keep-alive"), http_1_0=True).keep_alive is False


def test_expectations() -> None:
    # RFC 9110 10.1.1.
    assert read((b"expect", b"100-Continue")).expects_continue
    assert refused((b"expect", b"200-ok")).status == 417
    assert not read((b"expect", b"200-ok"), http_1_0=True).expects_continue
    assert not read((b"expect", b"100-continue"), http_1_0=True).expects_continue


UPGRADE = ((b"connection", b"keep-alive, Upgrade"), (b"upgrade", b"WebSocket"))


def test_websocket_handshakes() -> None:
    assert read(*UPGRADE).websocket
    assert not read(*UPGRADE, method=b"POST").websocket
    assert not read(*UPGRADE, http_1_0=True).websocket
    assert not read(UPGRADE[0]).websocket
    assert not read(UPGRADE[1]).websocket
    assert not read(UPGRADE[1], (b"connection", b"close")).websocket
    assert not read(UPGRADE[0], (b"upgrade", b"h2c")).websocket
    assert read(UPGRADE[0], (b"upgrade", b"h2c, websocket")).websocket


@pytest.mark.parametrize("framing", [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")])
def test_websocket_handshakes_have_no_body(framing: tuple[bytes, bytes]) -> None:
    assert refused(*UPGRADE, framing).status == 400
