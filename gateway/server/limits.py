"""What one client may use of us. Sizes are in bytes, times in seconds."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every wait has an end and every buffer a size.

    Past ``request_line`` a request gets 414, past ``head`` (request line and fields together) or ``fields`` (their
    number) 431, and 408 when its head is not whole ``header_timeout`` after it began, or when its body stands still
    for ``body_timeout``. A connection that stays silent is closed without a word: a new one after
    ``header_timeout``, one that had an answer after ``keep_alive``.

    How long a body may be is for the app to say, which knows what it is for: ``limit_body`` of the scope's extension.
    """

    request_line: int = 8 * 1024
    head: int = 64 * 1024
    fields: int = 100
    # A chunk's size with its extensions; nobody reads the extensions.
    chunk_line: int = 256
    # All trailer fields of one request together; they are read and dropped.
    trailers: int = 8 * 1024
    # How much of a request body waits in memory for the app before we stop reading from the client.
    body_buffer: int = 64 * 1024
    # How much of a body that no app wants any more is read on to keep the connection.
    drain: int = 256 * 1024

    header_timeout: float = 20.0
    body_timeout: float = 60.0
    # For a client that does not read its answer. Any progress starts the time again.
    send_timeout: float = 60.0
    # Longer than the usual proxy in front of us keeps its idle connections (60 s), so that it is the one to close.
    keep_alive: float = 75.0
    # For how long what a client still sends is read after our last word to it.
    linger: float = 2.0
    # How long a client that has ended its side may wait until we find out whether it is still there.
    half_closed: float = 0.5
    # How long a stream to such a client may be silent before the app is told that the client has left.
    half_closed_quiet: float = 2.0

    # None: as many as come.
    connections: int | None = None
    connections_per_client: int | None = None
    # Addresses of peers that speak for many clients: theirs are not counted by client.
    proxies: Container[str] = ()
    requests_per_connection: int | None = None
    # From a request's head to the end of its answer, and from a WebSocket's beginning to its end. None: no end.
    stream_lifetime: float | None = None

    @property
    def tick(self) -> float:
        """How often deadlines are looked at: fine enough for the shortest of them."""
        shortest = min(self.header_timeout, self.body_timeout, self.send_timeout, self.keep_alive, self.linger)
        return min(1.0, shortest / 4, (self.stream_lifetime or shortest) / 4)
