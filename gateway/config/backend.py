"""An app under ``backends:``, embedded or remote, as a frozen type."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.health import HealthCheck, OutliersSetting
from gateway.config.limits import InFlight
from gateway.config.survival import BreakerSetting
from gateway.config.values import Model, Seconds


class Timeouts(Model):
    """How long an app may take, in seconds. The client is answered 504 when it takes longer."""

    connect: Seconds = Field(default=5.0, description="Until there is a connection, a free one or a new one.")
    send: Seconds = Field(default=30.0, description="For how long the app may take nothing of a request's body.")
    head: Seconds = Field(default=60.0, description="From the end of the request to the beginning of the answer.")
    idle: Seconds = Field(
        default=60.0,
        description=(
            "For how long an answer that has begun may stand still, or a WebSocket be without a message or ping of "
            "either side. Event streams and WebSockets have no other."
        ),
    )
    total: Seconds | None = Field(
        default=None, description="From the beginning of the request to the end of the answer. Left out: no limit."
    )


class Tls(Model):
    """How `https` addresses of a remote app are verified."""

    ca: str | None = Field(
        default=None,
        description="A file of certificates (PEM) to trust instead of the system's.",
        examples=["/etc/ssl/internal-ca.pem"],
    )
    server_name: str | None = Field(
        default=None,
        description="The name that the certificate must have, where it is not that of the address.",
        examples=["shop.internal"],
    )
    verify: bool = Field(default=True, description="`false` trusts every certificate: anybody could be the app.")


class BackendConfig(Model):
    """One app. Exactly one of `app`, `url` and `urls` is given."""

    app: str | None = Field(
        default=None,
        description=(
            "Import string of an app called in this process: `module:attribute`, or `module:factory()` to call a "
            "factory. Flask (WSGI) and FastAPI (ASGI) are told apart. `${VAR}` and `${VAR:-default}` are replaced."
        ),
        examples=["legacy_flask:create_app()", "new_fastapi:app"],
    )
    url: str | None = Field(
        default=None,
        description="Where a remote app listens: `http://host:port`, `https://host` or `unix:/path`.",
        examples=["http://127.0.0.1:5000", "unix:/run/legacy.sock"],
    )
    urls: tuple[str, ...] | None = Field(
        default=None, min_length=1, strict=False, description="Several addresses of the same remote app."
    )
    interface: Literal["auto", "asgi", "wsgi"] = Field(
        default="auto", description="What kind of app it is, where that cannot be found out."
    )
    threads: int = Field(
        default=32, ge=1, le=1024, description="How many requests a WSGI app works on at once, in each worker."
    )
    queue: int = Field(
        default=1024,
        ge=0,
        le=100_000,
        description=(
            "How many more requests may wait, for a thread or a remote app's connection, before the next one is "
            "answered with 503."
        ),
    )
    connections: int = Field(
        default=256,
        ge=1,
        le=65_535,
        description="How many connections to each address of a remote app, at most, in each worker.",
    )
    keepalive: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=1.5,
        description=(
            "For how many seconds an idle connection to a remote app is kept. Less than the app's server keeps it: "
            "gunicorn 2, uvicorn 5."
        ),
    )
    host: Literal["keep", "upstream"] = Field(
        default="keep", description="The `Host` that a remote app sees: the client's, or that of its own address."
    )
    rewrite: bool = Field(
        default=True,
        description="Replace a remote app's own address, where it leaks out in `Location` and the like, by the public.",
    )
    underscores: Literal["drop", "keep"] = Field(
        default="drop",
        description=(
            "Request headers with an underscore in their name. A WSGI server cannot tell `X_User` from `X-User`, so a "
            "remote app does not get them."
        ),
    )
    timeouts: Timeouts | None = Field(
        default=None,
        description=(
            "How long an app may take, in seconds. Left out: a remote app has the defaults, and one in this process "
            "takes as long as it likes; `head` and `idle` are for that one too."
        ),
        examples=[{"head": 10}],
    )
    tls: Tls = Field(default=Tls(), description="How `https` addresses of a remote app are verified.")
    health: HealthCheck | None = Field(
        default=None,
        description=(
            "Asks each address of a remote app whether it is well. One that is not gets no requests, if there are "
            "others; a backend of which no address is well is one that has failed, for `fallback`."
        ),
    )
    outliers: OutliersSetting | None = Field(
        default=None,
        description=(
            "When one of several addresses gets no requests because those that it got have failed. Left out: as the "
            "defaults say. `off`: never."
        ),
        examples=["off", {"consecutive": 3, "eject": 30}],
    )
    breaker: BreakerSetting | None = Field(
        default=None,
        description=(
            "When the app is left alone because it fails. Left out: on routes that have a `fallback`, as the defaults "
            "say. `open` and `closed` settle it by hand, `off` has none."
        ),
        examples=["off", {"error_ratio": 0.5, "open": 10}],
    )
    limit: InFlight | None = Field(
        default=None,
        description="How many requests the app is given at once. Left out: as many as come.",
        examples=[{"in_flight": 1000, "queue": 100, "wait": 1.0}],
    )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of a remote app, as they are written; an app in this process has none."""
        return self.urls or (() if self.url is None else (self.url,))
