"""Requests that are written down: in the access log, as a span, or both. Where neither is wanted, none of this runs."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from time import perf_counter
from typing import Any, Literal

from starlette.types import Message, Receive, Scope, Send

from gateway.dataplane.choose import client_key
from gateway.dataplane.exchange import Added, HttpExchange
from gateway.dataplane.inbound import RawHeaders
from gateway.dataplane.problem_json import Refused
from gateway.dataplane.request import Request
from gateway.dataplane.snapshot import DEFAULT, Lane, Route
from gateway.dataplane.tracing import Trace, Traces
from gateway.routing.sticky import IdCookie
from gateway.telemetry.access_log import AccessLog

# Why this backend: a tester wanted it; no route takes the request; the route has no other; by the client's key; drawn
# by weight, for want of a key; the one that was chosen fails; or none, for the gateway has refused the request.
Why = Literal["override", "default", "route", "sticky", "weight", "fallback", "refused"]


def why(
    route: Route, headers: RawHeaders, client: str, id_cookie: IdCookie, fresh: str | None, detour: str | None
) -> Why:
    """``fresh`` is the id that the client is given, ``detour`` the backend that a tester has asked for."""
    if detour is not None:
        return "override"
    if route.only is not None:
        return "default" if route.label == DEFAULT else "route"
    if fresh is None and (route.gives_ids or client_key(route, headers, client, id_cookie)):
        return "sticky"
    return "weight"


class Observer:
    """Whom to tell of requests that have ended."""

    def __init__(self, access_log: AccessLog | None, traces: Traces | None) -> None:
        self._access_log = access_log
        self._traces = traces

    def ended(
        self, request: ObservedRequest, status: int, size: int | None, first_byte: float | None, ended: float
    ) -> None:
        scope = request.scope
        if self._access_log is not None:
            method = scope.get("method", "GET")
            self._access_log.note(
                (
                    request.begun,
                    first_byte,
                    ended,
                    request.id,
                    request.client,
                    method,
                    scope["raw_path"],
                    scope["http_version"],
                    request.route,
                    request.lane.backend.name,
                    request.why,
                    status,
                    0 if method == "HEAD" else size,
                )
            )
        if request.trace is not None:
            assert self._traces is not None
            self._traces.leave(
                request.trace,
                scope,
                route=request.route,
                backend=request.lane.backend.name,
                why=request.why,
                client=request.client,
                request_id=request.id,
                status=status,
                begun=request.begun,
                ended=ended,
            )

    def refused(self, scope: Scope, refused: Refused, begun: float) -> None:
        """The gateway has answered, and no backend was chosen."""
        if self._access_log is None:
            return
        peer = scope.get("client")
        method = scope.get("method")
        _, body = refused.problem.render(refused.request_id)
        self._access_log.note(
            (
                begun,
                None,
                perf_counter(),
                refused.request_id,
                peer[0] if peer else "",
                method or "GET",
                scope.get("raw_path") or scope["path"].encode(),
                scope["http_version"],
                "none",
                "none",
                "refused",
                refused.problem.status,
                len(body) if method and method != "HEAD" else 0,
            )
        )


class ObservedRequest(Request):
    """A request that an observer is told of when it ends."""

    __slots__ = ("client", "first_byte", "observer", "route", "size", "trace", "why")

    def __init__(
        self,
        scope: Scope,
        lane: Lane,
        added: Added | None,
        request_id: str,
        begun: float,
        observer: Observer,
        client: str,
        route: str,
        why: Why,
        trace: Trace | None,
    ) -> None:
        super().__init__(scope, lane, added, request_id, begun)
        self.observer = observer
        self.client = client
        self.route = route
        self.why: Why = why
        self.trace = trace
        # Of the content that was sent.
        self.size = 0
        # Of the app's answer.
        self.first_byte: float | None = None

    def divert(self, lane: Lane) -> None:
        super().divert(lane)
        self.why = "fallback"

    def forward(self, _: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        return self.carry(receive, ObservedExchange(send, self.added, self))

    def end(self, status: int, size: int | None = None) -> None:
        super().end(status)
        ended = perf_counter()
        if self.websocket is not None:
            self.observer.ended(self, status, None, None, ended)
        elif size is None:
            self.observer.ended(self, status, self.size, self.first_byte, ended)
        else:
            # It came in one piece, this moment.
            self.observer.ended(self, status, size, ended, ended)


class ObservedExchange(HttpExchange):
    """Counts what is sent."""

    __slots__ = ("_from_app", "_request")

    def __init__(self, send: Send, added: Added | None, request: ObservedRequest) -> None:
        super().__init__(send, added)
        self._request = request
        self._from_app = True

    def replace_app(self) -> None:
        self._from_app = False

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.body":
            self._request.size += len(message.get("body", b""))
        elif message["type"] == "http.response.start" and self._from_app:
            self._request.first_byte = perf_counter()
        return super().send(message)
