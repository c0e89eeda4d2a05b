"""The user's file as frozen types. No I/O, and no rule that needs more than one value: see rules.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Hundredths of a percent: weights have up to two decimals, and integers compare and add exactly.
SCALE = 10_000

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Percent = Annotated[float, Field(ge=0, le=100)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=128)]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z-]*$", max_length=32)]
# `cookie`, `cookie:NAME`, `header:NAME`, `ip` or `none`.
Sticky = Annotated[
    str,
    StringConstraints(pattern=r"^(cookie|ip|none|cookie:[A-Za-z0-9!#$%&'*+.^_`|~-]+|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$"),
]


class Model(BaseModel):
    """Frozen, and strict about keys: a typo in routes.yaml must never be read as a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class BackendConfig(Model):
    """One app. Exactly one of ``app``, ``url`` and ``urls`` is given.

    ``app`` is an import string, ``module:attribute``, or ``module:factory()`` to call a factory. ``interface``
    settles what kind of app it is where that cannot be found out. ``threads`` is how many requests a WSGI app
    works on at once; ``queue`` how many more may wait for a thread before the next is answered 503.
    """

    app: str | None = None
    url: str | None = None
    urls: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    interface: Literal["auto", "asgi", "wsgi"] = "auto"
    threads: int = Field(default=32, ge=1, le=1024)
    queue: int = Field(default=1024, ge=0, le=100_000)


class Defaults(Model):
    """What a route does unless it says otherwise."""

    sticky: Sticky = "cookie"


class StickyCookie(Model):
    """The gateway's own id cookie. ``max_age`` is in seconds."""

    name: HeaderName = "strangler_id"
    max_age: int = Field(default=365 * 24 * 3600, ge=60, le=400 * 24 * 3600)
    domain: str | None = None


class Override(Model):
    """Lets testers choose the backend of one request, by header or by cookie.

    Off unless this section exists. ``allow`` lists the client addresses or networks that may; with ``secret``,
    the value is ``BACKEND:SECRET``. At least one of the two is needed, and where both are given both must hold.
    """

    header: HeaderName = "X-Gateway-Backend"
    cookie: HeaderName = "gateway_backend"
    allow: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    secret: Annotated[str, StringConstraints(min_length=8)] | None = None


class RouteConfig(Model):
    """What to match and where to send it.

    ``headers`` and ``query`` map a name to the exact value wanted, or to ``true`` for "present, whatever its
    value". ``host`` is a host name without port, or ``*.example.com``.
    """

    path: str
    to: Name | dict[Name, Percent]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    methods: tuple[Method, ...] | None = Field(default=None, min_length=1, strict=False)
    host: str | None = None
    headers: Mapping[HeaderName, str | Literal[True]] = Field(default_factory=dict)
    query: Mapping[str, str | Literal[True]] = Field(default_factory=dict)
    sticky: Sticky | None = None
    group: Name | None = None

    @property
    def label(self) -> str:
        """The name users and metrics know the route by: ``name``, or what it matches, ``GET /books/{id}``."""
        if self.name is not None:
            return self.name
        parts = [",".join(self.methods), self.path] if self.methods else [self.path]
        if self.host is not None:
            parts.append(f"host={self.host}")
        parts += [f"header:{k.lower()}" + ("" if v is True else f"={v}") for k, v in sorted(self.headers.items())]
        parts += [f"query:{k}" + ("" if v is True else f"={v}") for k, v in sorted(self.query.items())]
        return " ".join(parts)

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """Backend and share, in hundredths of a percent, as written: ``(("legacy", 9000), ("new", 1000))``."""
        if isinstance(self.to, str):
            return ((self.to, SCALE),)
        return tuple((backend, round(percent * 100)) for backend, percent in self.to.items())


class Config(Model):
    """One version of routes.yaml.

    ``trusted_proxies`` lists the addresses and networks whose ``X-Forwarded-*`` fields are believed.
    """

    version: Literal[1]
    backends: dict[Name, BackendConfig] = Field(min_length=1)
    default: Name
    defaults: Defaults = Defaults()
    sticky_cookie: StickyCookie = StickyCookie()
    override: Override | None = None
    trusted_proxies: tuple[str, ...] = Field(default=(), strict=False)
    routes: tuple[RouteConfig, ...] = Field(default=(), strict=False)
