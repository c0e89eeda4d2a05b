"""A WebSocket client that says exactly what it is told to, on a connection to a served app."""

from __future__ import annotations

import struct

from websockets.frames import Close, Frame, Opcode

from tests.server.serving import Client, Response

TEXT, BINARY = Opcode.TEXT, Opcode.BINARY

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3

HANDSHAKE = (
    b"GET /chat?room=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
)


def open_websocket(client: Client, more: bytes = b"") -> Response:
    """The answer to a handshake with these further field lines."""
    client.send(HANDSHAKE + more + b"\r\n")
    return client.response()


def masked(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def masked_close(code: int, reason: str = "") -> bytes:
    return masked(Opcode.CLOSE, Close(code, reason).serialize())


def read_frame(client: Client) -> tuple[Opcode, bytes]:
    """The next frame, which is not masked and is whole. Raises Truncated at the end."""
    first, size = client.exactly(2)
    if size == 126:
        (size,) = struct.unpack("!H", client.exactly(2))
    elif size == 127:
        (size,) = struct.unpack("!Q", client.exactly(8))
    assert first & 128
    return Opcode(first & 15), client.exactly(size)


def read_close(client: Client) -> tuple[int, str]:
    """Code and reason of the next frame, which is a close frame; 1005 for an empty one."""
    opcode, data = read_frame(client)
    assert opcode is Opcode.CLOSE, (opcode, data)
    close = Close.parse(data)
    return close.code, close.reason
