"""The opening handshake with a remote app, as its client (RFC 6455 4.1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.types import Scope
from websockets.protocol import CLIENT
from websockets.utils import accept_key, generate_key

from gateway.upstream.connection import Connection
from gateway.upstream.failure import Failure, UpstreamError
from gateway.upstream.headers import Fields
from gateway.upstream.outbound import Outbound
from gateway.upstream.response import ResponseReader
from gateway.websocket.limits import Limits
from gateway.websocket.stream import Stream

if TYPE_CHECKING:
    from gateway.upstream.origin import Origin
    from gateway.upstream.upstream import Upstream

# Of one connection each: the key of its own handshake, the extensions that its two ends speak. The client's and ours
# are not the same; what is negotiated end to end is the subprotocol alone.
_OF_ONE_HOP: Final = frozenset(
    (
        *(b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"sec-websocket-accept"),
        *(b"content-length", b"transfer-encoding", b"te"),
    )
)

_PAGE_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Offer:
    """The request of one handshake. ``scope`` is that of an HTTP request with the same fields."""

    def __init__(self, upstream: Upstream, scope: Scope) -> None:
        """Raises UpstreamError for a request that cannot be passed on."""
        self.scope = {
            **scope,
            "method": "GET",
            "http_version": "1.1",
            "scheme": _PAGE_SCHEMES.get(scope["scheme"], scope["scheme"]),
            "headers": [field for field in scope["headers"] if field[0] not in _OF_ONE_HOP],
        }
        self.subprotocols: list[str] = scope["subprotocols"]
        self._outbound = Outbound(upstream, self.scope)

    def write(self, authority: bytes, key: str) -> bytes:
        """The head, whole. ``authority`` is the app's own, in case that Host is to say so."""
        head = self._outbound.first_bytes(authority).removesuffix(b"\r\n")
        return (
            b"%bUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
            % (head, key.encode("ascii"))
        )


class HandshakeReader(ResponseReader):
    """Reads the answer: a 101, told by ``switched``, or any response.

    ``every`` are all of its fields, ``behind`` is what came after the 101.
    """

    __slots__ = ("behind", "every", "switched")

    def begin(self, *, bodiless: bool) -> None:
        super().begin(bodiless=bodiless)
        self.every: Fields = []
        self.behind = b""
        self.switched = False

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if not self.head_complete:
            self.every.append((name.lower(), value.strip(b" \t")))

    def _interim(self, status: int) -> None:
        if status == 101:
            self.switched = True
        else:
            super()._interim(status)
            self.every = []
            # There is no page yet that could use them.
            self.hints = ()

    def _upgraded(self, behind: bytes) -> None:
        self.behind = behind

    def values(self, name: bytes) -> list[bytes]:
        """The list that the fields of this name make (RFC 9110 5.6.1)."""
        lists = [value for key, value in self.every if key == name]
        return [member for value in lists for part in value.split(b",") if (member := part.strip())]


class HandshakeConnection(Connection):
    """A connection on which a WebSocket is asked for. With a 101, ``stream`` goes on with it."""

    __slots__ = ("_handshake", "_key", "_limits", "offer", "stream", "subprotocol")

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Origin, offer: Offer, limits: Limits) -> None:
        super().__init__(loop, origin)
        self.response = self._handshake = HandshakeReader()
        self.offer = offer
        self._limits = limits
        self._key = generate_key()
        self.stream: Stream | None = None
        self.subprotocol: str | None = None

    def ask(self) -> None:
        self.begin(bodiless=False)
        self.write(self.offer.write(self.origin.authority, self._key))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._handshake.switched and not self.closed:
            # At once: the next thing that the event loop has to tell may be a message, or the end.
            problem = self._problem()
            if problem:
                self._fail(UpstreamError(Failure.BAD_HEAD, f"{self.origin.url}: {problem}"))
            else:
                self._switch()

    def _problem(self) -> str:
        """What is wrong with the 101, if anything is (RFC 6455 4.1, the list at its end)."""
        answer = self._handshake
        problem = ""
        if b"websocket" not in [value.lower() for value in answer.values(b"upgrade")]:
            problem = "it does not upgrade to websocket"
        elif b"upgrade" not in [value.lower() for value in answer.values(b"connection")]:
            problem = "its Connection does not say upgrade"
        elif answer.values(b"sec-websocket-accept") != [accept_key(self._key).encode("ascii")]:
            problem = "its Sec-WebSocket-Accept does not fit the key"
        elif answer.values(b"sec-websocket-extensions"):
            problem = "it speaks an extension that was not offered"
        chosen = [value.decode("latin-1") for value in answer.values(b"sec-websocket-protocol")]
        if len(chosen) > 1 or (chosen and chosen[0] not in self.offer.subprotocols):
            problem = "it speaks a subprotocol that was not offered"
        self.subprotocol = chosen[0] if chosen else None
        return problem

    def _switch(self) -> None:
        transport, origin = self._transport, self.origin
        assert transport is not None

        def lost() -> None:
            origin.websockets -= 1

        origin.websockets += 1
        stream = self.stream = Stream(transport, CLIENT, self._limits, self._loop, lost)
        transport.set_protocol(stream)
        self.flow.resume_reading()
        if self._handshake.behind:
            stream.data_received(self._handshake.behind)
        self._handshake.head_complete = True
        if self._waiter is not None:
            self._wake(self._waiter)

    def abandon(self) -> None:
        """End the connection at once, in whatever state."""
        if self.stream is not None:
            self.stream.abort()
        else:
            self.close()
