"""The user's file as frozen types. No I/O, and no rule that needs more than one value: see rules.py.

The titles and descriptions are what editors show on hover, by way of the JSON Schema (schema.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from gateway.config.backend import BackendConfig
from gateway.config.limits import Bytes, InFlight, Limits
from gateway.config.survival import BreakerSetting, FallbackSetting
from gateway.config.values import Model, Name

# Hundredths of a percent: percentages have up to two decimals, and integers compare and add exactly.
SCALE: Final = 10_000

# What the HTTP parser of the front door knows, but for CONNECT: the gateway is no tunnel.
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"),
    *("ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE"),
    *("PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNLINK", "UNLOCK"),
)

# RFC 9110, 5.6.2: what a header's or a cookie's name is made of.
FIELD_NAME: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"

Percent = Annotated[float, Field(ge=0, le=100)]
HeaderName = Annotated[str, StringConstraints(pattern=f"^{FIELD_NAME}$", max_length=128)]
Method = Annotated[
    str, StringConstraints(pattern=f"^({'|'.join(METHODS)})$"), Field(json_schema_extra={"enum": list(METHODS)})
]
Sticky = Annotated[
    str,
    StringConstraints(pattern=f"^(cookie|ip|none|cookie:{FIELD_NAME}|header:{FIELD_NAME})$", max_length=140),
    Field(examples=["cookie", "cookie:session", "header:X-User-Id", "ip", "none"]),
]
Compat = Literal["head", "options", "slashes", "int404", "errors", "json"]
# The exact value wanted, or true for "present, whatever its value".
Wanted = Annotated[
    str | Literal[True], Field(description="The exact value wanted, or `true`: present, whatever its value.")
]


def _form_of_to(value: object) -> str | None:
    return "backend" if isinstance(value, str) else "percentages" if isinstance(value, Mapping) else None


To = Annotated[
    Annotated[Name, Tag("backend"), Field(title="Backend", description="One backend takes every request.")]
    | Annotated[
        dict[Name, Percent],
        Tag("percentages"),
        Field(title="Percentages", description="Backend and percentage; they add up to 100.", min_length=1),
    ],
    Discriminator(_form_of_to),
]


class Defaults(Model):
    """What a route does unless it says otherwise."""

    sticky: Sticky = Field(
        default="cookie", description="What keeps a client on one side of a split. See `sticky` of a route."
    )
    fallback: FallbackSetting | None = Field(
        default=None,
        description="Which backend answers when a route's own has failed. See `fallback` of a route.",
        examples=["legacy"],
    )


class StickyCookie(Model):
    """The gateway's own id cookie, which `sticky: cookie` goes by."""

    name: HeaderName = Field(default="strangler_id", description="The cookie's name.")
    max_age: int = Field(
        default=365 * 24 * 3600, ge=60, le=400 * 24 * 3600, description="How long it lives, in seconds."
    )
    domain: str | None = Field(
        default=None, description="Its domain, where subdomains share it. Usually left out.", examples=["example.com"]
    )


class WebSockets(Model):
    """Connections that last."""

    grace: Annotated[float, Field(ge=0, le=24 * 3600)] = Field(
        default=30.0,
        description=(
            "When a change of this file moves a WebSocket's route to another backend, for how many seconds it may go "
            "on before it is closed with 1012, so that the client comes back and reaches the new one."
        ),
    )
    max_message: int = Field(
        default=16 * 1024 * 1024,
        ge=1024,
        le=1024 * 1024 * 1024,
        description="The longest message, in bytes, either way. One that is longer closes the WebSocket with 1009.",
    )


class Tracing(Model):
    """W3C Trace Context, and spans by OpenTelemetry. Without this section `traceparent` passes through untouched."""

    spans: bool = Field(
        default=False,
        description=(
            "Export a span for each request that is sampled. Needs the extra `strangler-gateway[otel]`; where to, and "
            "under which name, is said by the `OTEL_*` variables of the environment."
        ),
    )
    sample: Percent = Field(
        default=100.0,
        description="The share of traces to keep, of those that begin here, or with a client that is no trusted proxy.",
        examples=[10],
    )


class Override(Model):
    """Lets testers choose the backend of a single request, by header or by cookie.

    Off unless this section exists. At least one of `allow` and `secret` is needed; where both are given, both
    must hold.
    """

    header: HeaderName = Field(default="X-Gateway-Backend", description="The header that names the backend.")
    cookie: HeaderName = Field(default="gateway_backend", description="The cookie that names the backend.")
    allow: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        strict=False,
        description="Addresses and networks of the clients that may.",
        examples=[["127.0.0.1", "10.0.0.0/8"]],
    )
    # Not in repr(): configurations are logged and shown in test failures.
    secret: Annotated[str, StringConstraints(min_length=8)] | None = Field(
        default=None,
        repr=False,
        description="With it, the value of the header or cookie is `BACKEND:SECRET`. `${VAR}` is replaced.",
        examples=["${OVERRIDE_SECRET}"],
    )


class RouteConfig(Model):
    """What to match and where to send it."""

    path: str = Field(
        max_length=2000,
        description=(
            "The whole path: literal segments, `{name}` (one segment), `{name:int}`, `{name:uuid}`, and "
            "`{name:path}` for one or more segments at the end. A trailing slash counts."
        ),
        examples=["/books/{id:int}", "/static/{file:path}"],
    )
    to: To = Field(
        description="Where it goes: one backend, or percentages over backends. Rolling back is `to: legacy`.",
        examples=["new", {"legacy": 90, "new": 10}],
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="What commands and metrics call the route. Otherwise its methods and path: `GET /books/{id}`.",
    )
    methods: tuple[Method, ...] | None = Field(
        default=None,
        min_length=1,
        strict=False,
        description="The methods it matches, exactly these. Left out: every method.",
        examples=[["GET"], ["POST", "PUT"]],
    )
    host: str | None = Field(
        default=None,
        description="Host name without port, or `*.example.com` for every name below it.",
        examples=["shop.example.com", "*.example.com"],
    )
    headers: Mapping[HeaderName, Wanted] = Field(
        default_factory=dict, description="Request headers that must be there.", examples=[{"X-Beta": True}]
    )
    query: Mapping[str, Wanted] = Field(
        default_factory=dict, description="Query parameters that must be there.", examples=[{"version": "2"}]
    )
    sticky: Sticky | None = Field(
        default=None,
        description=(
            "What keeps a client on one side of a split: `cookie` (the gateway's own id), `cookie:NAME`, "
            "`header:NAME`, `ip`, or `none` (each request on its own)."
        ),
    )
    group: Name | None = Field(
        default=None, description="Routes of one group share one assignment: a user sees one version of all of them."
    )
    compat: tuple[Compat, ...] = Field(
        default=(),
        strict=False,
        description=(
            "What apps other than `default` are made to do as Flask does, until no client needs it: answer HEAD and "
            "OPTIONS, redirect slashes, 404 for what is no number, errors in HTML, JSON as Flask writes it."
        ),
        examples=[["head", "options"]],
    )
    fallback: FallbackSetting | None = Field(
        default=None,
        description=(
            "Which backend answers when the chosen one has failed before the first byte of its answer, if the request "
            "may be sent again. `none` switches that of `defaults` off."
        ),
        examples=["legacy", {"to": "legacy", "on": [404, 502, 503, 504, "connect", "timeout"]}, "none"],
    )
    breaker: BreakerSetting | None = Field(
        default=None,
        description="When backends other than `default` are left alone on this route. Left out: as the backend says.",
        examples=["open", "off"],
    )
    limit: InFlight | None = Field(
        default=None,
        description="How many requests of this route there may be at once, whichever backend they go to.",
        examples=[{"in_flight": 100, "queue": 50, "wait": 1.0}],
    )
    max_body: Bytes | None = Field(
        default=None,
        description="Bytes of a request's body; past it 413. Left out: `body` of `limits`, which this may exceed.",
        examples=[10_485_760],
    )

    @property
    def label(self) -> str:
        """The name users and metrics know the route by: ``name``, or what it matches, ``GET /books/{id}``."""
        if self.name is not None:
            return self.name
        # In one order: who is in a split hangs on this name, and must not on how the list is written.
        methods = sorted(self.methods or (), key=METHODS.index)
        parts = [",".join(methods), self.path] if methods else [self.path]
        if self.host is not None:
            parts.append(f"host={self.host}")
        parts += [f"header:{k.lower()}" + ("" if v is True else f"={v}") for k, v in sorted(self.headers.items())]
        parts += [f"query:{k}" + ("" if v is True else f"={v}") for k, v in sorted(self.query.items())]
        return " ".join(parts)

    @property
    def salt(self) -> str:
        """What decides, with the client's key, who is on which side of the split: the same for a whole group."""
        return f"group:{self.group}" if self.group is not None else f"route:{self.label}"

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """Backend and share, in hundredths of a percent, as written: ``(("legacy", 9000), ("new", 1000))``."""
        if isinstance(self.to, str):
            return ((self.to, SCALE),)
        return tuple((backend, round(percent * 100)) for backend, percent in self.to.items())


class Config(Model):
    """One version of routes.yaml: the apps, and which of them each request goes to."""

    version: Literal[1] = Field(description="The version of this file format.")
    backends: dict[Name, BackendConfig] = Field(min_length=1, description="The apps, by name.")
    default: Name = Field(description="The backend that takes every request no route matches.")
    defaults: Defaults = Field(default=Defaults(), description="What a route does unless it says otherwise.")
    sticky_cookie: StickyCookie = Field(default=StickyCookie(), description="The gateway's own id cookie.")
    websockets: WebSockets = Field(default=WebSockets(), description="How WebSockets are treated.")
    limits: Limits = Field(default=Limits(), description="What one client may use of the gateway.")
    expose: bool = Field(
        default=False, description="Each answer names the backend that gave it: `X-Served-By: legacy`."
    )
    tracing: Tracing | None = Field(
        default=None, description="Makes and continues `traceparent`. Left out: it passes through untouched."
    )
    override: Override | None = Field(default=None, description="Lets testers choose the backend of a request.")
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Addresses and networks of the proxies in front whose `X-Forwarded-*` headers are believed.",
        examples=[["127.0.0.1", "10.0.0.0/8"]],
    )
    forwarded: Literal["x-forwarded", "forwarded", "both"] = Field(
        default="x-forwarded",
        description="What tells the apps who the client is: `X-Forwarded-*`, `Forwarded` (RFC 7239), or both.",
    )
    routes: tuple[RouteConfig, ...] = Field(
        default=(),
        strict=False,
        description="What to send where. Their order does not matter: the more specific path wins.",
    )
