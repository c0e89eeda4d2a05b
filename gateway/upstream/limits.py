"""What one backend may cost us: times in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

# A response's head, and also what may stand between two pieces of content: chunk extensions and trailers.
HEAD_SIZE: Final = 64 * 1024
FIELDS: Final = 128

# What of a response waits for a slow client before we stop reading it.
READ_AHEAD: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """``connect`` covers the wait for a free connection too. ``idle`` is the longest silence within an answer.

    ``go_ahead`` is how long a request that expects "100 Continue" waits for it before its body is sent all the same
    (RFC 9110 10.1.1: a client should not wait for an indefinite period).
    """

    connect: float = 5.0
    send: float = 30.0
    head: float = 60.0
    idle: float = 60.0
    total: float = inf
    go_ahead: float = 1.0

    @property
    def tick(self) -> float:
        """How often deadlines are looked at: fine enough for the shortest of them."""
        return max(0.01, min(0.1, min(self.connect, self.send, self.head, self.idle, self.total) / 4))


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """``connections`` is for each address, ``queue`` for all of the backend.

    ``keepalive`` is how long a connection may wait idle for its next request. It is below what servers allow
    (gunicorn 2 s, uvicorn 5 s), so that we close it and not they: a request that meets a connection just being closed
    fails, if it is one that must not be sent twice (RFC 9112 9.3.1).
    """

    connections: int = 256
    queue: int = 1024
    keepalive: float = 1.5
