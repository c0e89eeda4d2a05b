"""What can go wrong between a client's request and an app's answer: which side, at which stage."""

from __future__ import annotations

from enum import Enum
from typing import Literal

Side = Literal["client", "gateway", "upstream"]
Stage = Literal["request", "queue", "connect", "send", "head", "body"]


class Failure(Enum):
    """One way to fail. ``status`` and ``detail`` are for the client; they name nothing of the inside.

    The status counts only while no answer has begun. After that, the answer is broken off.
    """

    BAD_REQUEST = ("client", "request", 400, "The request cannot be passed on.")
    CLIENT_LEFT = ("client", "request", 499, "The client has left.")

    QUEUE_FULL = ("gateway", "queue", 503, "Too many requests are waiting for this application.")
    QUEUE_TIMEOUT = ("gateway", "queue", 503, "No connection to the application became free in time.")

    CONNECT = ("upstream", "connect", 502, "The application cannot be reached.")
    CONNECT_TIMEOUT = ("upstream", "connect", 504, "The application could not be reached in time.")

    SEND_TIMEOUT = ("upstream", "send", 504, "The application did not take the request in time.")

    NO_ANSWER = ("upstream", "head", 502, "The application closed the connection without an answer.")
    BAD_HEAD = ("upstream", "head", 502, "The application's answer is not valid.")
    HEAD_TIMEOUT = ("upstream", "head", 504, "The application did not begin its answer in time.")
    TOTAL_TIMEOUT = ("upstream", "head", 504, "The application did not complete its answer in time.")

    TRUNCATED = ("upstream", "body", 502, "The application broke off its answer.")
    BAD_BODY = ("upstream", "body", 502, "The application's answer is not valid.")
    IDLE_TIMEOUT = ("upstream", "body", 504, "The application stopped in the middle of its answer.")

    def __init__(self, side: Side, stage: Stage, status: int, detail: str) -> None:
        self.side = side
        self.stage = stage
        self.status = status
        self.detail = detail


class UpstreamError(Exception):
    """An exchange with an app failed.

    The text is for the log: it may name addresses. ``retry_after`` is in whole seconds, for a 503; 0 says nothing.
    """

    def __init__(self, failure: Failure, reason: str = "", *, retry_after: int = 0) -> None:
        super().__init__(f"{failure.name}: {reason or failure.detail}")
        self.failure = failure
        self.retry_after = retry_after
