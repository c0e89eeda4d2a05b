"""What is to be moved: one method of one endpoint, as it is kept when the apps are not at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Self

from gateway.config.model import METHODS
from gateway.config.rule_of import template_of
from gateway.migrate.inventory.compare import Comparison, shared_path
from gateway.migrate.inventory.endpoint import Endpoint, EndpointKind
from gateway.routing.rule import Rule

# RFC 9110, 9.2.1: whoever sends one asks for no change.
SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "REPORT", "SEARCH"))


@dataclass(frozen=True)
class Target:
    """``method`` is "" for an endpoint that answers every method; HEAD goes with GET, and is no target of its own.

    ``both`` says whether the two apps have it; ``only_new``, that the new one alone does. ``path`` is then of what they
    both take, which can be less than ``rule``. ``remarks`` are what makes it less than a straight move.
    """

    rule: str
    path: str
    method: str
    host: str | None = None
    kind: EndpointKind = "http"
    name: str = ""
    source: str = ""
    both: bool = False
    only_new: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        method = "WEBSOCKET" if self.kind == "websocket" else self.method
        host = f" on {self.host}" if self.host is not None else ""
        return f"{method} {self.rule}{host}".strip()

    @property
    def safe(self) -> bool:
        return self.method in SAFE and self.kind != "websocket"

    @cached_property
    def match(self) -> Rule:
        """The requests of it, as far as the gateway can tell them."""
        return Rule(template_of(self.path), frozenset({self.method} if self.method else ()), self.host)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """What as_data gave. Raises ValueError for what it cannot have given."""
        known = {field.name for field in fields(cls)}
        kept = {key: value for key, value in data.items() if key in known}
        try:
            made = cls(**{**kept, "remarks": tuple(kept.get("remarks", ()))})
            made.match  # noqa: B018 - the path is read, and refused if it is none
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a target: {error}") from None
        return made


def targets(comparison: Comparison) -> tuple[Target, ...]:
    """All targets of the legacy app in its order, then what only the new app has.

    Of two that an app has written down alike it only ever comes to the first.
    """
    found: dict[object, Target] = {}
    for each in (*_legacy(comparison), *_new(comparison)):
        found.setdefault((each.only_new, each.rule, each.method, each.host, each.kind == "websocket"), each)
    return tuple(found.values())


def _legacy(comparison: Comparison) -> Iterator[Target]:
    for each in comparison.legacy:
        endpoint = each.endpoint
        for method in _methods(endpoint):
            both = each.on_both_sides if not method else method in each.methods
            narrowed = each.narrowed if both else ()
            remarks = (*(f"{one.name}: {one.legacy} against {one.new}" for one in narrowed), *endpoint.notes)
            path = shared_path(endpoint.path, narrowed)
            yield _target(endpoint, path, method, both=both, remarks=remarks)


def _new(comparison: Comparison) -> Iterator[Target]:
    for only in comparison.only_new:
        methods = [method for method in _methods(only.endpoint) if not method or method in only.methods]
        for method in methods:
            yield _target(only.endpoint, only.endpoint.path, method, only_new=True)


def _methods(endpoint: Endpoint) -> Sequence[str]:
    if not endpoint.methods:
        return ("",)
    own = endpoint.own - ({"HEAD"} if "GET" in endpoint.own else set())
    return sorted(own & set(METHODS), key=METHODS.index)


def _target(
    endpoint: Endpoint,
    path: str,
    method: str,
    *,
    both: bool = False,
    only_new: bool = False,
    remarks: tuple[str, ...] = (),
) -> Target:
    return Target(
        rule=endpoint.rule,
        path=path,
        method=method,
        host=endpoint.host,
        kind=endpoint.kind,
        name=endpoint.name,
        source=endpoint.source,
        both=both,
        only_new=only_new,
        remarks=remarks,
    )
