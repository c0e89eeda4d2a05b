"""One address of a remote app, and how a connection to it is opened."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from gateway.upstream.connection import Connection
from gateway.upstream.failure import Failure, UpstreamError

_PORTS: Final = {"http": 80, "https": 443}

# Seconds for which an address that could not be reached is asked only if all others could not be either.
AVOIDED: Final = 2.0


C = TypeVar("C", bound=Connection)


class Origin:
    """``http://host:port``, ``https://host`` or ``unix:/path``, checked before.

    ``authority`` is what Host says for ``host: upstream``; ``url`` is the prefix by which the address leaks. The
    counts are connections by their state.
    """

    __slots__ = (
        "_host",
        "_path",
        "_port",
        "_server_name",
        "_tls",
        "authority",
        "avoid_until",
        "busy",
        "connecting",
        "credit",
        "idle",
        "turn",
        "url",
        "websockets",
    )

    def __init__(self, url: str, tls: ssl.SSLContext | None = None, server_name: str | None = None) -> None:
        self._path: str | None = None
        self._host = ""
        self._port = 0
        self._tls: ssl.SSLContext | None = None
        self._server_name: str | None = None
        if url.startswith("unix:"):
            self._path = url.removeprefix("unix:")
            # RFC 9112 3.2: a Host is always sent; a socket in the file system has no name to put there.
            self.authority = b"localhost"
            self.url = url
        else:
            parts = urlsplit(url)
            assert parts.hostname is not None
            # RFC 3490: names beyond ASCII go on the wire in their ASCII form.
            self._host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
            self._port = parts.port or _PORTS[parts.scheme]
            host = f"[{self._host}]" if ":" in self._host else self._host
            standard = self._port == _PORTS[parts.scheme]
            self.authority = (host if standard else f"{host}:{self._port}").encode()
            self.url = f"{parts.scheme}://{self.authority.decode()}"
            if parts.scheme == "https":
                self._tls = tls or ssl.create_default_context()
                self._server_name = server_name or self._host
        # The one used last is at the end.
        self.idle: dict[Connection, float] = {}
        self.busy = 0
        self.connecting = 0
        self.avoid_until = 0.0
        # Below 1.0 it stands back: an address that has come back gathers a request's worth at first (rotating_pool.py).
        self.credit = 1.0
        # Which request of the pool it served last: among equals it is the turn of the one with the lowest.
        self.turn = 0
        # Beside the others, and not limited: each lasts as long as its client wants.
        self.websockets = 0

    def __repr__(self) -> str:
        return f"<Origin {self.url} busy={self.busy} idle={len(self.idle)} connecting={self.connecting}>"

    @property
    def load(self) -> int:
        return self.busy + self.connecting

    @property
    def open(self) -> int:
        return self.busy + self.connecting + len(self.idle)

    async def connect(self, loop: asyncio.AbstractEventLoop, make: Callable[[], C]) -> C:
        """A new connection of ``make``. The name is looked up anew each time. Raises UpstreamError."""
        try:
            if self._path is not None:
                _, connection = await loop.create_unix_connection(make, self._path)
            else:
                _, connection = await loop.create_connection(
                    make, self._host, self._port, ssl=self._tls, server_hostname=self._server_name
                )
        except OSError as error:
            # Of ssl, too: a certificate that does not verify is an OSError.
            self.avoid_until = loop.time() + AVOIDED
            raise UpstreamError(Failure.CONNECT, f"{self.url}: {error}") from error
        self.avoid_until = 0.0
        return connection
