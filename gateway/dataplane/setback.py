"""How a backend can fail before the first byte of its answer, and what that means for sending the request again."""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.backends.overload import Overloaded
from gateway.dataplane.in_flight import RouteFull
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


# The reason of those that never came to be asked, for there were too many.
QUEUE: Final = "queue"

# Embedded apps have no connection that they could break off, which would be a 502.
RAISED: Final = Setback(500, "error", frozenset((500, 502)), sent=True, costly=True)
NO_ANSWER: Final = Setback(500, "no_answer", frozenset((500, 502)), sent=True, costly=True)


def answered(status: int) -> Setback:
    """The app has answered ``status``."""
    costly = status >= 500 and status not in _NOT_DONE
    return Setback(status, str(status), frozenset((status,)), sent=status not in _NOT_DONE, costly=costly)


def raised(error: Exception) -> Setback | None:
    """The app, or the way to it, has failed with ``error``. None if that is not the app's
    failure: the request is to blame, the client has left, or the route has too many."""
    if isinstance(error, RouteFull):
        return None
    if isinstance(error, Overloaded):
        return Setback(503, QUEUE, frozenset((503,)), sent=False, costly=False)
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
        reason = QUEUE
    sent = failure.stage not in ("connect", "queue")
    return Setback(failure.status, reason, frozenset(occasions), sent=sent, costly=sent)
