"""Handing a connection over to uvicorn's WebSocket protocol."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from urllib.parse import quote_from_bytes

from uvicorn.server import ServerState

from gateway.server.listener import Listener
from gateway.server.request_head import RequestHead


def hand_over(
    listener: Listener,
    server_state: ServerState,
    transport: asyncio.Transport,
    request: RequestHead,
    head: bytes,
    rest: bytes,
) -> None:
    """Let the WebSocket protocol go on with the connection, from the handshake's first byte.

    ``rest`` is what came behind the head in the same read; it would be lost otherwise.
    """
    protocol_class: Any = listener.config.ws_protocol_class
    protocol = cast(
        asyncio.Protocol,
        protocol_class(config=listener.config, server_state=server_state, app_state=listener.app_state),
    )
    protocol.connection_made(transport)
    transport.set_protocol(protocol)
    protocol.data_received(handshake(request, head) + rest)


def handshake(request: RequestHead, head: bytes) -> bytes:
    """The head as it was sent, unless the other side would not read it as we do.

    It knows a target only as an ASCII path, so the absolute form is put into the origin form, with the ``Host`` that
    counts (RFC 9112 3.2.2), and bytes beyond ASCII are encoded.
    """
    assert request.path is not None
    if not request.rewritten and request.path.isascii() and request.query.isascii():
        return head
    target = quote_from_bytes(request.path, safe=_ASCII)
    if request.query:
        target += "?" + quote_from_bytes(request.query, safe=_ASCII)
    lines = [f"GET {target} HTTP/1.1".encode(), *(b"%b: %b" % field for field in request.fields), b"", b""]
    return b"\r\n".join(lines)


_ASCII = "".join(map(chr, range(33, 127)))
