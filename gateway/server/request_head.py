"""What a request's head must be, beyond its syntax, before any app sees it (RFC 9110, RFC 9112)."""

from __future__ import annotations

from gateway.http1.field_name import FieldName
from gateway.server.refusal import Refusal
from gateway.server.request_target import KNOWN_HOSTS, is_host, read_other_form

Fields = list[tuple[bytes, bytes]]

CHUNKED = -1

# The fields that this module reads.
TELLING = frozenset((b"connection", b"content-length", b"expect", b"host", b"transfer-encoding", b"upgrade"))

_HOST = FieldName(b"Host")

# As numbers: "in" then looks for a byte, at a fifth of the cost of looking for a byte string.
_SLASH, _HASH = b"/#"


class RequestHead:
    """A sound head. What most requests do not have is told by class attributes: it costs them nothing."""

    # As sent; None for a request to the server as a whole. The query is without its question mark.
    path: bytes | None
    query: bytes
    # In bytes, or CHUNKED.
    length = 0
    keep_alive = True
    http_1_0 = False
    expects_continue = False
    websocket = False

    def __init__(self, method: str, fields: Fields) -> None:
        self.method = method
        # One host among them, which counts.
        self.fields = fields


def check(method: bytes, target: bytes, http_1_0: bool, fields: Fields) -> RequestHead:
    """The head that these parts make. The syntax of each has been checked. Raises Refusal."""
    request = RequestHead(method.decode(), fields)
    if http_1_0:
        # RFC 9112 9.3: a proxy does not keep connections with HTTP/1.0 clients.
        request.http_1_0 = True
        request.keep_alive = False
    host: bytes | None = None
    connection = upgrade = b""
    for name, value in fields:
        if name not in TELLING:
            continue
        if name == b"host":
            if host is not None:
                raise Refusal(400, "The request has more than one Host.")
            host = value
        elif name == b"connection":
            connection += b"," + value.lower()
        elif name == b"content-length":
            # llhttp has seen to it that these are digits, and that there is neither another nor a transfer coding.
            request.length = int(value)
        elif name == b"transfer-encoding":
            _check_coding(value, http_1_0)
            request.length = CHUNKED
        elif name == b"upgrade":
            upgrade += b"," + value.lower()
        elif not http_1_0:
            # RFC 9110 10.1.1: an expectation, which is ignored in HTTP/1.0.
            if value.lower() != b"100-continue":
                raise Refusal(417, "The expectation cannot be met.")
            request.expects_continue = True

    # RFC 9112 3.2: 400 for no Host, two of them, or one that is none. HTTP/1.0 did not have it yet.
    if host is None:
        if not http_1_0:
            raise Refusal(400, "The request has no Host.")
    elif host not in KNOWN_HOSTS and not is_host(host):
        raise Refusal(400, "The request's Host is not a host.")

    if connection:
        _read_connection(request, connection, upgrade)
    if target and target[0] == _SLASH and _HASH not in target and method != b"TRACE" and method != b"CONNECT":
        request.path, _, request.query = target.partition(b"?")
    else:
        _read_odd_target(request, method, target)
    return request


def _check_coding(value: bytes, http_1_0: bool) -> None:
    if http_1_0:
        # RFC 9112 6.1: to be treated as faulty framing: some proxy has passed on what it did not understand.
        raise Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")
    if value.lower() != b"chunked":
        # RFC 9112 6.1: 501 for a coding that is not understood. The app would get the coded body as the real one.
        raise Refusal(501, "No transfer coding but chunked is understood.")


def _read_connection(request: RequestHead, connection: bytes, upgrade: bytes) -> None:
    options = [option.strip() for option in connection.split(b",")]
    if b"close" in options:
        request.keep_alive = False
    # RFC 9110 7.8: other upgrades (h2c) may be ignored, and in HTTP/1.0 must be. RFC 6455 4.1: with GET.
    if upgrade and b"upgrade" in options and request.method == "GET" and not request.http_1_0:
        request.websocket = b"websocket" in [protocol.strip() for protocol in upgrade.split(b",")]
        if request.websocket and request.length:
            raise Refusal(400, "A WebSocket handshake has no body.")


def _read_odd_target(request: RequestHead, method: bytes, target: bytes) -> None:
    if _HASH in target:
        # RFC 9112 3.2: no form of a target has a fragment. Some read it as the end, others as part of the path.
        raise Refusal(400, "The request target has a fragment.")
    if method == b"CONNECT":
        # RFC 9110 9.3.6: tunnels are for forward proxies, which this is not.
        raise Refusal(501, "This server opens no tunnels.")
    if method == b"TRACE":
        # It would show all fields of the request, cookies and what proxies have added among them, to whoever can
        # make a browser send it (RFC 9110 9.3.8). So nobody answers it here; "Max-Forwards: 0", which must not be
        # passed on (RFC 9110 7.6.2), included. RFC 9110 15.5.6: a 405 lists what is allowed.
        raise Refusal(405, "TRACE is not allowed.", ((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),))
    absolute = read_other_form(method, target)
    if absolute is None:
        request.path, request.query = None, b""
        return
    authority, request.path, request.query = absolute
    # RFC 9112 3.2.2: the authority of the target counts, whatever Host says.
    request.fields = [(_HOST, authority), *(field for field in request.fields if field[0] != b"host")]
