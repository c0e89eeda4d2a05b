"""Whether a peer is alive: it sends something, or it takes what it is sent."""

from __future__ import annotations

from enum import Enum

from gateway.websocket.limits import Limits


class Verdict(Enum):
    ALIVE = "there was a sign of life"
    ASK = "send a ping"
    DEAD = "there was none for too long"


class Life:
    """One peer, looked at every ``limits.tick`` seconds. Set ``heard`` with each sign of life."""

    __slots__ = ("_limits", "_quiet", "_unsent", "heard")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._quiet = 0.0
        self._unsent = 0
        self.heard = True

    def look(self, unsent: int, *, listening: bool, stuck: bool) -> Verdict:
        """``unsent`` is how many bytes the peer has yet to take, ``stuck`` that it takes them too slowly.

        Where we are not ``listening``, its silence is no sign of death. It is pinged all the same: a peer that is gone
        answers with a reset.
        """
        limits = self._limits
        deaf = not listening and not stuck
        if self.heard or deaf or unsent < self._unsent:
            self._quiet = 0.0
        else:
            self._quiet += limits.tick
        self.heard = False
        self._unsent = unsent
        if self._quiet >= limits.ping_interval + limits.ping_timeout:
            return Verdict.DEAD
        if not stuck and (deaf or self._quiet >= limits.ping_interval):
            return Verdict.ASK
        return Verdict.ALIVE
