"""What one WebSocket may use of us. Sizes are in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What other servers and clients take, and what nobody sends by mistake.
MESSAGE_SIZE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """A message longer than ``message`` ends the WebSocket with 1009.

    A peer of which nothing was heard for ``ping_interval`` is sent a ping, and one that is then silent for another
    ``ping_timeout``, or that takes nothing of what it is sent for as long, is taken for dead.
    """

    message: int = MESSAGE_SIZE
    # How much of what has come may wait unread before no more of it is read.
    read_ahead: int = 64 * 1024
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    # How long the peer may take to answer our close frame.
    close_timeout: float = 10.0
    # How long after both close frames it may take to end its side of the connection.
    linger: float = 2.0

    @property
    def tick(self) -> float:
        """How often it is looked whether the peer is alive."""
        return min(self.ping_interval, self.ping_timeout) / 2
