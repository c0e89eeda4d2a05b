"""How a backend can fail before the first byte of its answer, and what that means for sending the request again."""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.backends.overload import Overloaded
from gateway.upstream.failure import UpstreamError

# RFC 9110 15.5.6 and 15.6.2: the app says that it knows no such method here. It has done nothing, whatever the method.
_NOT_DONE: Final = frozenset((405, 501))


class Setback(NamedTuple):
    """``status`` is what the client would be answered, ``reason`` what is counted and logged.

    ``occasions`` are the words and statuses of ``fallback: {on: …}`` under which it falls. ``sent`` tells that the app
    may have begun to do what the request wants, ``costly`` that to ask another app multiplies the load of trouble.
    """

    status: int
    reason: str
    occasions: frozenset[int | str]
    sent: bool
    costly: bool


# Embedded apps have no connection that they could break off, which would be a 502.
RAISED: Final = Setback(500, "error", frozenset((500, 502)), sent=True, costly=True)
NO_ANSWER: Final = Setback(500, "no_answer", frozenset((500, 502)), sent=True, costly=True)


def answered(status: int) -> Setback:
    """The app has answered ``status``."""
    costly = status >= 500 and status not in _NOT_DONE
    return Setback(status, str(status), frozenset((status,)), sent=status not in _NOT_DONE, costly=costly)


def raised(error: Exception) -> Setback | None:
    """The app, or the way to it, has failed with ``error``. None if the request is to blame, or the client has left."""
    if isinstance(error, Overloaded):
        return Setback(503, "queue", frozenset((503,)), sent=False, costly=False)
    if not isinstance(error, UpstreamError):
        return RAISED
    failure = error.failure
    if failure.side == "client":
        return None
    occasions: set[int | str] = {failure.status}
    reason = "no_answer"
    if failure.status == 504:
        occasions.add("timeout")
        reason = "timeout"
    if failure.stage == "connect":
        occasions.add("connect")
        reason = "connect"
    elif failure.stage == "queue":
        reason = "queue"
    sent = failure.stage not in ("connect", "queue")
    return Setback(failure.status, reason, frozenset(occasions), sent=sent, costly=sent)
