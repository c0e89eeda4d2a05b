"""Browsers that have logged in."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict

from gateway.control.admin.tokens import Right

COOKIE = "gateway_session"
# Seconds: a working day. A restart of the gateway ends every session.
LIFETIME = 12 * 3600
_MOST = 1024


class Sessions:
    """Kept in memory, by the hash of their id: what is looked up is not what is compared.

    Times are in seconds, of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, tuple[float, Right]] = OrderedDict()

    def begin(self, right: Right, now: float) -> str:
        """The id of a new session. Past the most there can be, the oldest ends."""
        name = secrets.token_urlsafe(32)
        self._sessions[_hash(name)] = (now + LIFETIME, right)
        if len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return name

    def right(self, name: str, now: float) -> Right:
        until, right = self._sessions.get(_hash(name), (0.0, Right.NONE))
        return right if now < until else Right.NONE

    def end(self, name: str) -> None:
        self._sessions.pop(_hash(name), None)


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
