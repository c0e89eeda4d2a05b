"""Which trace a request belongs to, and the span that it is: W3C Trace Context, and the attributes of the span.

A client that is not trusted may name its trace, which harms nobody, but not have it kept: that is drawn here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.types import Scope

from gateway.config.loader import Loaded
from gateway.config.model import Config, Tracing
from gateway.config.problem import Problem
from gateway.dataplane.forwarded import port_of
from gateway.dataplane.inbound import RawHeaders, TrustedProxies
from gateway.http1.field_name import FieldName
from gateway.telemetry.recorder import METHODS
from gateway.telemetry.trace_context import TRACEPARENT, TRACESTATE, drawn, new_span_id, new_trace_id, read, write

if TYPE_CHECKING:
    from gateway.telemetry.spans import Spans

_TRACEPARENT: Final = FieldName(TRACEPARENT)

# What the names of methods, routes and hosts are called is fixed by OpenTelemetry's semantic conventions for HTTP
# server spans, version 1.23 and later.
_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Trace(NamedTuple):
    """The span that this request is. ``parent_id`` is 0 where the trace begins here."""

    trace_id: int
    span_id: int
    parent_id: int


class Traces:
    """The ``tracing:`` section, compiled. ``spans`` is None where none are to be exported."""

    def __init__(self, section: Tracing, config: Config, spans: Spans | None) -> None:
        self._share = section.sample / 100
        self._spans = spans
        self._templates = {route.label: route.path for route in config.routes}

    @property
    def exported(self) -> bool:
        """Whether the spans are wanted."""
        return self._spans is not None

    def enter(self, scope: Scope, trusted: TrustedProxies) -> tuple[Scope, Trace | None]:
        """The scope with the fields for the app, and the span if there is to be one."""
        peer = scope.get("client")
        headers, trace = self.continued(scope["headers"], trusted=peer is not None and peer[0] in trusted)
        return {**scope, "headers": headers}, trace

    def continued(self, headers: RawHeaders, *, trusted: bool) -> tuple[RawHeaders, Trace | None]:
        """The fields for the app, and the span if there is to be one. ``trusted`` is said of the peer.

        Without spans the gateway does not stand between the two sides of a trace, and what is valid goes on as it is.
        """
        parent = read(headers)
        if parent is None:
            # Trace Context 3.3: the state goes with the parent that it came with.
            trace_id, parent_id, sampled = new_trace_id(), 0, drawn(self._share)
            headers = [field for field in headers if field[0] != TRACEPARENT and field[0] != TRACESTATE]
        elif self._spans is None:
            return headers, None
        else:
            trace_id, parent_id = parent.trace_id, parent.span_id
            sampled = parent.sampled if trusted else drawn(self._share)
            headers = [field for field in headers if field[0] != TRACEPARENT]
        span_id = new_span_id()
        headers.append((_TRACEPARENT, write(trace_id, span_id, sampled=sampled)))
        return headers, Trace(trace_id, span_id, parent_id) if sampled and self._spans is not None else None

    def leave(
        self,
        trace: Trace,
        scope: Scope,
        *,
        route: str,
        backend: str,
        why: str,
        client: str,
        request_id: str,
        status: int,
        begun: float,
        ended: float,
    ) -> None:
        """The request has ended; the times are ``time.perf_counter()``. ``scope`` is the one that the app got."""
        assert self._spans is not None
        method = scope.get("method", "GET")
        known = method in METHODS
        scheme: str = scope["scheme"]
        attributes: dict[str, str | int] = {
            "http.request.method": method if known else "_OTHER",
            "url.path": scope["path"],
            "url.scheme": _SCHEMES.get(scheme, scheme),
            "network.protocol.version": scope["http_version"],
            "gateway.route": route,
            "gateway.backend": backend,
            "gateway.why": why,
            "gateway.request_id": request_id,
        }
        if not known:
            attributes["http.request.method_original"] = method[:64]
        host = _public_host(scope["headers"])
        if host:
            attributes["server.address"] = _without_port(host)
            attributes["server.port"] = int(port_of(host, scheme))
        if client:
            attributes["client.address"] = client
        template = self._templates.get(route)
        if template is not None:
            attributes["http.route"] = template
        # 499 is ours: nothing was answered.
        if status and status != 499:
            attributes["http.response.status_code"] = status
        if status >= 500:
            attributes["error.type"] = str(status)
        name = method if known else "HTTP"
        now, clock = time.time_ns(), time.perf_counter()
        self._spans.add(
            name if template is None else f"{name} {template}",
            *trace,
            begun=now - int((clock - begun) * 1e9),
            ended=now - int((clock - ended) * 1e9),
            attributes=attributes,
            failed=status >= 500,
        )


def no_spans(loaded: Loaded, error: ImportError) -> Problem:
    """What to tell of a file that wants spans, where the extra is not installed."""
    message = f"'spans' needs the extra 'otel': pip install 'strangler-gateway[otel]' ({error})"
    return loaded.problem(("tracing", "spans"), message)


def _public_host(headers: RawHeaders) -> bytes:
    """The host that the client named, as the app is told of it."""
    for name, value in headers:
        if name == b"host":
            return value
    return b""


def _without_port(host: bytes) -> str:
    name, colon, port = host.rpartition(b":")
    bare = name if colon and port.isdigit() and (name[-1:] == b"]" or b":" not in name) else host
    return bare.decode("latin-1").strip("[]")
