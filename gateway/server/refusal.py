"""What the front door answers by itself, to a request that no app gets to see."""

from __future__ import annotations

import json
from http import HTTPStatus


class Refusal(Exception):
    """Ends the connection with an answer. ``detail`` is for the client: it says what was wrong with what it sent.

    ``reason`` is what it is counted under, one word of few.
    """

    def __init__(
        self, status: int, detail: str, headers: tuple[tuple[bytes, bytes], ...] = (), *, reason: str = "malformed"
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.reason = reason

    def answer(self, default_lines: bytes, *, bodiless: bool = False) -> bytes:
        """The whole response: RFC 9457 problem details, as those of the gateway itself.

        ``default_lines`` are field lines that every response has (``Date``), each led by its CRLF. ``bodiless``
        leaves the content out, for HEAD (RFC 9110 9.3.2).
        """
        phrase = HTTPStatus(self.status).phrase
        problem = {"type": "about:blank", "title": phrase, "status": self.status, "detail": self.detail}
        body = json.dumps(problem).encode()
        lines = [
            b"HTTP/1.1 %d %b" % (self.status, phrase.encode()),
            b"Content-Type: application/problem+json",
            b"Content-Length: %d" % len(body),
            b"Cache-Control: no-store",
            *(b"%b: %b" % field for field in self.headers),
            # After most of these errors nobody can say where the next request would begin (RFC 9112 9.6).
            b"Connection: close",
        ]
        head = b"\r\n".join(lines) + default_lines + b"\r\n\r\n"
        return head if bodiless else head + body


_SOON = ((b"Retry-After", b"1"),)

APP_FAILED = Refusal(500, "The application failed to answer this request.")
NO_ANSWER = Refusal(500, "The application ended without an answer to this request.")
STOPPING = Refusal(503, "The server is shutting down.", _SOON)
SLOW_HEAD = Refusal(408, "The request's header fields took too long to arrive.", reason="slow_head")
SLOW_BODY = Refusal(408, "The request's body stopped arriving.", reason="slow_body")
TOO_LONG = Refusal(504, "The answer took too long.", reason="stream_lifetime")
OVERLOADED = Refusal(503, "The server has too many requests at once.", _SOON, reason="requests")
CROWDED = Refusal(503, "The server has too many connections.", _SOON, reason="connections")
# RFC 6585 4.
GREEDY = Refusal(429, "Too many connections from one address.", _SOON, reason="connections_per_client")
