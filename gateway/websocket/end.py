"""How a WebSocket ended, and which of it may be told to others (RFC 6455 7.4)."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012

# RFC 6455 7.4.1: they name what was not in any close frame, and so must not be put into one.
NO_STATUS: Final = 1005
ABNORMAL: Final = 1006
_NEVER_SENT: Final = frozenset((1004, NO_STATUS, ABNORMAL, 1015))

# RFC 6455 5.5: a control frame has 125 bytes, two of which are the code.
_REASON_SIZE: Final = 123


class Cause(Enum):
    """Who ended it."""

    PEER = "the peer sent a close frame"
    LOST = "the connection ended without a close frame"
    FAULT = "the peer broke the protocol or a limit, and was told so"
    OURS = "we sent a close frame"


class End(NamedTuple):
    """The code and reason of the first close frame, whoever sent it; 1005 for an empty one, 1006 for none."""

    code: int
    reason: str
    cause: Cause


class Closed(Exception):
    """The WebSocket has ended: nothing comes any more, and nothing can be sent."""

    def __init__(self, end: End) -> None:
        super().__init__(f"{end.cause.value}: {end.code} {end.reason}".rstrip())
        self.end = end


def may_be_sent(code: int) -> bool:
    """Whether a close frame may have this code (RFC 6455 7.4.2, and those registered since)."""
    return (1000 <= code <= 1014 and code not in _NEVER_SENT) or 3000 <= code <= 4999


def fitting(reason: str) -> str:
    """``reason``, cut to what a close frame can hold."""
    data = reason.encode(errors="replace")
    return reason if len(data) <= _REASON_SIZE else data[:_REASON_SIZE].decode(errors="ignore")
