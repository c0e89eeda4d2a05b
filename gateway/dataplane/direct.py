"""Step 6 without a task, where the server and the backend can do that: a whole request to a remote app."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dataplane.attempt import Attempt
from gateway.dataplane.exchange import CLIENT_LEFT, with_added
from gateway.dataplane.in_flight import InFlight, Places
from gateway.dataplane.problem_json import overloaded
from gateway.dataplane.request import Request
from gateway.upstream.direct import DirectExchange
from gateway.upstream.headers import Fields
from gateway.upstream.upstream import Upstream


class ServerExchange(Protocol):
    """One request as a server has it that needs no task for it: gateway/server/exchange.py."""

    scope: Scope
    request_complete: bool

    @property
    def body(self) -> bytes: ...

    def start(self, app: ASGIApp) -> None: ...

    def take(self, direct: DirectForward) -> None: ...

    def answer(self, status: int, fields: Fields, content: bytes) -> bool: ...

    def rest(self) -> None: ...


def shed(request: Request, full: InFlight, server: ServerExchange) -> bool:
    """Refuse a request that there is no room for, nor any to wait. In a rush that is most of them: it must cost little.

    Returns False, with nothing done, if the client has yet to read what it was sent before.
    """
    fields, content = overloaded(full.retry_after).render(request.id)
    if request.added is not None:
        fields = with_added(fields, request.added)
    if not server.answer(503, fields, content):
        return False
    server.rest()
    full.refused("queue_full")
    request.end(503, len(content))
    return True


class DirectForward(DirectExchange):
    """Between the server's exchange and the remote app's. For the server, a gateway.server.direct.Direct.

    ``places`` are those that the request has taken.
    """

    places: Places | None = None

    def __init__(self, upstream: Upstream, request: Request, server: ServerExchange) -> None:
        super().__init__(upstream, request.scope)
        self._request = request
        self._server = server

    def answer(self, status: int, fields: Fields, content: bytes) -> bool:
        request = self._request
        if request.added is not None:
            fields = with_added(fields, request.added)
        if not self._server.answer(status, fields, content):
            return False
        if self.places is not None:
            self.places.leave()
        request.end(status, len(content))
        return True

    def left(self) -> None:
        self.abandon()
        if self.places is not None:
            self.places.leave()
        self._request.end(CLIENT_LEFT)

    def go_on(self) -> None:
        request = self._request
        request.app = self._goes_on
        self._server.start(request.forward)

    def _goes_on(self, _: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        run = self.run(receive, send)
        return run if self.places is None else self.places.held_by(run)


class GuardedForward(DirectForward):
    """On a lane under guard: whatever may be for the fallback goes on in a task."""

    def __init__(self, upstream: Upstream, request: Request, server: ServerExchange, attempt: Attempt) -> None:
        super().__init__(upstream, request, server)
        self._attempt = attempt
        self._body = b""

    def ask(self, body: bytes) -> bool:
        self._body = body
        return super().ask(body)

    def answer(self, status: int, fields: Fields, content: bytes) -> bool:
        if self._attempt.is_declined(status) or not super().answer(status, fields, content):
            return False
        self._attempt.ended(status)
        return True

    def left(self) -> None:
        super().left()
        self._attempt.ended(CLIENT_LEFT)

    def go_on(self) -> None:
        request = self._request
        request.app = self._attempt.going_on(self._goes_on, self._body)
        self._server.start(request.forward)
