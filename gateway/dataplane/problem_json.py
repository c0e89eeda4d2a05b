"""What a client sees when the gateway itself answers: RFC 9457 problem details, and nothing of the inside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import Message

from gateway.upstream.failure import UpstreamError

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProblemResponse:
    """One answer of the gateway's own. ``detail`` is for the client: it names no file, address or exception."""

    status: int
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())

    def render(self, request_id: str) -> tuple[RawHeaders, bytes]:
        """The head's fields and the body. ``request_id`` is what the user quotes and the log can be searched for."""
        body = json.dumps(
            {
                "type": "about:blank",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                "request_id": request_id,
            }
        ).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            # A failure of this moment must not be kept by a cache in front of us (RFC 9111 4.2.2).
            (b"cache-control", b"no-store"),
            (b"x-request-id", request_id.encode("latin-1")),
            *self.headers,
        ]
        return headers, body

    def messages(self, request_id: str, websocket: bool = False) -> tuple[Message, Message]:
        """The two ASGI messages; for a WebSocket the refusal of its handshake (ASGI "Websocket Denial Response")."""
        headers, body = self.render(request_id)
        prefix = "websocket.http.response" if websocket else "http.response"
        return (
            {"type": f"{prefix}.start", "status": self.status, "headers": headers},
            {"type": f"{prefix}.body", "body": body},
        )


class Refused(Exception):
    """The gateway answers this request itself, with ``problem``. ``request_id`` is what it is known by."""

    def __init__(self, problem: ProblemResponse, request_id: str) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.request_id = request_id


FAILED = ProblemResponse(500, "The application failed to answer this request.")
NO_ANSWER = ProblemResponse(500, "The application ended without an answer to this request.")
STOPPING = ProblemResponse(503, "The server is shutting down.", ((b"retry-after", b"1"),))
NOT_STARTED = ProblemResponse(503, "The server is not ready.", ((b"retry-after", b"1"),))


def bad_request(reason: str) -> ProblemResponse:
    return ProblemResponse(400, reason)


def body_too_large(most: int) -> ProblemResponse:
    """As the front door says it of one that turns out to be while it arrives."""
    return ProblemResponse(413, f"The request's body is longer than {most} bytes.")


def overloaded(retry_after: int) -> ProblemResponse:
    """``retry_after`` is in seconds."""
    return ProblemResponse(
        503,
        "Too many requests are waiting for this application.",
        ((b"retry-after", str(retry_after).encode()),),
    )


def unavailable(retry_after: int) -> ProblemResponse:
    """``retry_after`` is in seconds."""
    return ProblemResponse(
        503, "This application is failing at the moment.", ((b"retry-after", str(retry_after).encode()),)
    )


def upstream_failed(error: UpstreamError) -> ProblemResponse:
    """What the client is told of it: 400, 502, 503 or 504."""
    failure = error.failure
    wait = ((b"retry-after", str(error.retry_after).encode()),) if error.retry_after else ()
    return ProblemResponse(failure.status, failure.detail, wait)
