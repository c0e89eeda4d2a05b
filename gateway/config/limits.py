"""The sections of the file that say how much there may be of something."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.values import Model, Seconds

Bytes = Annotated[int, Field(ge=0, le=1 << 40)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Limits(Model):
    """What one client may use of the gateway. Counts hold in each worker; a change holds for what comes next."""

    request_line: Annotated[int, Field(ge=256, le=1024 * 1024)] = Field(
        default=8 * 1024, description="Bytes of method, target and version; past it 414. Never more than `head`."
    )
    head: Annotated[int, Field(ge=1024, le=1024 * 1024)] = Field(
        default=64 * 1024, description="Bytes of a request's line and header fields together; past it 431."
    )
    fields: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="Header fields of a request; past it 431."
    )
    body: Bytes | None = Field(
        default=None,
        description="Bytes of a request's body; past it 413. Left out: no limit. See `max_body` of a route.",
    )
    header_timeout: Seconds = Field(
        default=20.0, description="Seconds that a request's head may take to arrive; then 408."
    )
    body_timeout: Seconds = Field(default=60.0, description="For how many seconds a body may stand still; then 408.")
    send_timeout: Seconds = Field(
        default=60.0, description="For how many seconds a client may take nothing of its answer; then it is cut off."
    )
    keep_alive: Seconds = Field(default=75.0, description="For how many seconds a connection may be idle.")
    requests_per_connection: Count | None = Field(
        default=None, description="After so many requests a connection is closed. Left out: no limit."
    )
    connections: Count | None = Field(
        default=None, description="Connections at once, in each worker; one more is answered 503. Left out: no limit."
    )
    connections_per_client: Count | None = Field(
        default=None,
        description=(
            "Connections at once of one address (of IPv6: one /64), in each worker; one more is answered 429. "
            "`trusted_proxies` have as many as they like. Left out: no limit."
        ),
    )
    stream_lifetime: Seconds | None = Field(
        default=None,
        description=(
            "For how many seconds an answer may go on, an event stream say, or a WebSocket be open: then it ends, and "
            "clients that reconnect by themselves do so. Left out: no limit."
        ),
    )


class InFlight(Model):
    """How many requests there may be at once, in each worker, and how many more may wait, first come first served."""

    in_flight: Count = Field(description="Requests at once, WebSockets that are open among them.")
    queue: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=100, description="How many more may wait; the next one is answered 503."
    )
    wait: Seconds = Field(default=1.0, description="How many seconds each of them waits at most, before it is too.")
