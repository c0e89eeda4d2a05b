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
    protocol.data_received(handshake(request) + rest)


def handshake(request: RequestHead) -> bytes:
    """The head again, in the form that the other side reads as we do.

    It would tell the app field names in the case they were sent in, and knows a target only as an ASCII path, where
    we may have had the absolute form.
    """
    assert request.path is not None
    target = quote_from_bytes(request.path, safe=_ASCII)
    if request.query:
        target += "?" + quote_from_bytes(request.query, safe=_ASCII)
    lines = [f"GET {target} HTTP/1.1".encode(), *(b"%b: %b" % field for field in request.fields), b"", b""]
    return b"\r\n".join(lines)


_ASCII = "".join(map(chr, range(33, 127)))
