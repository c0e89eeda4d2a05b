"""The opening handshake, as the server sees it (RFC 6455 4.2). No I/O."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import Final

from websockets.utils import accept_key

from gateway.server.refusal import Refusal
from gateway.server.request_head import Fields
from gateway.server.response_head import DefaultFields, write_head

_KEY_SIZE: Final = 16

# RFC 6455 4.2.2 says what stands in them; RFC 9110 8.6: no Content-Length with a 1xx. An app that passes on what
# some other server has sent must not answer twice.
_OURS: Final = frozenset(
    (
        *(b"connection", b"upgrade", b"content-length", b"transfer-encoding"),
        *(b"sec-websocket-accept", b"sec-websocket-extensions", b"sec-websocket-protocol"),
    )
)


def answer_to_key(fields: Fields) -> bytes:
    """The value of Sec-WebSocket-Accept. Raises Refusal for what is no handshake."""
    keys = [value for name, value in fields if name == b"sec-websocket-key"]
    versions = [value for name, value in fields if name == b"sec-websocket-version"]
    if versions != [b"13"]:
        # RFC 6455 4.4: 426, with the version that is spoken here.
        raise Refusal(426, "This server speaks version 13 of the WebSocket protocol.", _VERSION)
    if len(keys) != 1 or not _is_key(keys[0]):
        raise Refusal(400, "The WebSocket handshake has no valid Sec-WebSocket-Key.")
    return accept_key(keys[0].decode("ascii")).encode("ascii")


_VERSION: Final = ((b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13"))


def _is_key(value: bytes) -> bool:
    try:
        return len(binascii.a2b_base64(value, strict_mode=True)) == _KEY_SIZE
    except binascii.Error:
        return False


def offered_subprotocols(fields: Fields) -> list[str]:
    """What the client offers, in its order of preference (RFC 6455 11.3.4)."""
    offers = [value for name, value in fields if name == b"sec-websocket-protocol"]
    names = (name.strip() for value in offers for name in value.decode("latin-1").split(","))
    return [name for name in names if name]


def write_switch(
    accept: bytes, subprotocol: str | None, fields: Iterable[tuple[bytes, bytes]], defaults: DefaultFields
) -> bytes:
    """The whole 101 response. Extensions are not spoken: compressing costs more than all else that is done here.

    Raises ValueError or TypeError for a field that cannot be sent.
    """
    ours = [(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Accept", accept)]
    if subprotocol is not None:
        ours.append((b"Sec-WebSocket-Protocol", subprotocol.encode("latin-1")))
    kept = [field for field in fields if field[0].lower() not in _OURS]
    # Checked and written as for a response of the usual kind, for which 101 is no status.
    head, _, _ = write_head(200, [*ours, *kept], defaults)
    return b"".join((b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade", *head[1:], b"\r\n\r\n"))
