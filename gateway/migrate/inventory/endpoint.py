"""What an app answers, in one form for Flask, Starlette, FastAPI and OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.routing.template import Kind

# "mount" is an app of its own that cannot be looked into: all that is known is where it begins.
EndpointKind = Literal["http", "websocket", "static", "mount"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path that varies.

    ``type`` is the app's own word: ``int``, ``float``, ``any``, ``path``, ``string``, ``uuid`` or the name of a custom
    converter. ``kind`` is the narrowest that the gateway knows for all that the app takes. ``limits`` are what the app
    asks for beyond it, in words, such as ``length=2``; "" where the kind says all.
    """

    name: str
    type: str = "string"
    kind: Kind = Kind.SEGMENT
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A field of what an endpoint answers, such as ``Book.published``, whose ``type`` JSON does not have."""

    field: str
    type: str


@dataclass(frozen=True, slots=True)
class SessionUse:
    """A cookie that an app keeps its session in. Apps whose ``format`` is the same read each other's."""

    cookie: str
    format: Literal["flask", "starlette", "server"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: a path, the methods it answers, and how the app itself has written it down.

    ``path`` is a template of the gateway. Where that cannot say exactly what the app says, it is the next wider one,
    and ``notes`` tell what is lost. ``also`` are further paths of the same endpoint; ``redirected`` are paths that the
    app answers with a redirect to this one.
    """

    path: str
    # Empty: every method. A WebSocket begins as a GET (RFC 6455, 4.1).
    methods: frozenset[str]
    kind: EndpointKind = "http"
    # In the form of a route's ``host``; None: any.
    host: str | None = None
    # What the app calls it, such as ``books.read_book``.
    name: str = ""
    # The Python object that answers, ``shop.books:read_book``; the address of the document for OpenAPI.
    source: str = ""
    # The path as the app has it.
    rule: str = ""
    parameters: tuple[Parameter, ...] = ()
    also: tuple[str, ...] = ()
    redirected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    # Whether the app goes by more literal text than ``path`` has: it may then prefer another endpoint than the gateway.
    coarse: bool = False
    # Those of the methods that the framework answers by itself: nobody has written a view for them.
    automatic: frozenset[str] = frozenset()
    strict_slashes: bool = True
    # What the app fills in for the view where the path does not say it.
    defaults: Mapping[str, object] = field(default_factory=dict)
    redirects_to: str | None = None
    # Left out of the app's own documentation.
    hidden: bool = False
    # Those of the methods that want a CSRF token, as far as it can be seen from outside of the view.
    csrf: frozenset[str] = frozenset()
    answers: tuple[Answer, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.also)

    @property
    def own(self) -> frozenset[str]:
        """The methods that somebody has written a view for; empty where it answers every method."""
        return self.methods - self.automatic

    @property
    def exact(self) -> bool:
        """Whether ``path`` matches just what the app matches."""
        return not self.notes

    @property
    def label(self) -> str:
        """How messages call it: as its app has written it."""
        methods = ",".join(sorted(self.own)) if self.kind != "websocket" else "WEBSOCKET"
        host = f" on {self.host}" if self.host is not None else ""
        return f"{methods} {self.rule}{host}" if methods else self.rule + host


@dataclass(frozen=True, slots=True)
class Inventory:
    """All endpoints of an app, in its own order, and what had to be left out of them."""

    app: str
    framework: Literal["Flask", "Starlette", "FastAPI", "OpenAPI"]
    endpoints: tuple[Endpoint, ...]
    warnings: tuple[str, ...] = ()
    sessions: tuple[SessionUse, ...] = ()
    # Whether it sends a path that it has not to the same path with a slash more or less.
    redirects_slashes: bool = True
    # Of its middleware, the classes of its own: what they answer before any endpoint is theirs to know.
    middleware: tuple[str, ...] = ()


class InventoryProblem(Exception):
    """The endpoints cannot be had. The message is one line, for the person who named the app."""
