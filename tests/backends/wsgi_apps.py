"""WSGI apps for tests, and what they return."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from gateway.backends.wsgi import WsgiApp

Bridge = Callable[..., WsgiApp]

PLAIN = ("Content-Type", "text/plain")


class Body:
    """An iterable that counts how often it is closed. ``parts`` may hold exceptions, to be raised in their place."""

    def __init__(self, *parts: bytes | BaseException, on_close: Callable[[], None] | None = None) -> None:
        self.parts = iter(parts)
        self.closed = threading.Semaphore(0)
        self.times_closed = 0
        self.on_close = on_close

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, BaseException):
                raise part
            yield part

    def close(self) -> None:
        self.times_closed += 1
        self.closed.release()
        if self.on_close is not None:
            self.on_close()

    def wait_closed(self) -> bool:
        """Whether it was closed, once."""
        return self.closed.acquire(timeout=5) and not self.closed.acquire(timeout=0.01) and self.times_closed == 1


def answer(
    body: Iterable[bytes], status: str = "200 OK", headers: Iterable[tuple[str, str]] = (PLAIN,)
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, list(headers))
        return body

    return app


def with_length(length: int) -> list[tuple[str, str]]:
    return [PLAIN, ("Content-Length", str(length))]
