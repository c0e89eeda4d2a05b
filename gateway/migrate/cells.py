"""The legacy app as the gateway can tell its endpoints apart: by shape of path, host and method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from gateway.config.model import METHODS
from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.routing.overlap import overlap
from gateway.routing.rule import Rule
from gateway.routing.template import Kind, Segment, Template

# Stands for every method.
ANY = "*"

Key = tuple[tuple[Segment, ...], str | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """Requests of one method that the gateway cannot tell apart. ``endpoints`` are in the order of the app."""

    path: str
    host: str | None
    method: str
    endpoints: tuple[Endpoint, ...]
    # The app answers with a redirect to the same path with a slash.
    redirected: bool = False

    @property
    def key(self) -> Key:
        return key_of(self.path, self.host)

    @property
    def rule(self) -> Rule:
        return Rule(template_of(self.path), frozenset() if self.method == ANY else frozenset({self.method}), self.host)


def known(methods: Set[str]) -> Set[str]:
    """``methods`` as cells have them. The front door refuses methods that no route can name."""
    return methods & frozenset(METHODS) if methods else {ANY}


def key_of(path: str, host: str | None) -> Key:
    return template_of(path).shape, host


def cells_of(endpoints: Sequence[Endpoint]) -> dict[tuple[Key, str], Cell]:
    """The cells of all endpoints, by key and method. OPTIONS that a framework answers by itself are in none."""
    paths: dict[Key, str] = {}
    found: dict[tuple[Key, str], list[Endpoint]] = defaultdict(list)
    redirects: dict[tuple[Key, str], list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        for path, into in _places(endpoint, found, redirects):
            key = key_of(path, endpoint.host)
            paths.setdefault(key, path)
            for method in known(endpoint.methods) - (endpoint.automatic & {"OPTIONS"}):
                into[key, method].append(endpoint)
    cells = {place: Cell(paths[place[0]], place[0][1], place[1], tuple(each)) for place, each in found.items()}
    for place, each in redirects.items():
        cells.setdefault(place, Cell(paths[place[0]], place[0][1], place[1], tuple(each), redirected=True))
    return cells


def rules_overlap(one: Rule, other: Rule) -> bool:
    """Whether some request is for both."""
    if one.methods and other.methods and not one.methods & other.methods:
        return False
    return hosts_overlap(one.host, other.host) and overlap(one.template, other.template)


def hosts_overlap(one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return True
    if one.startswith("*."):
        return other.endswith(one[1:]) or (other.startswith("*.") and one.endswith(other[1:]))
    return other.startswith("*.") and one.endswith(other[1:])


def order_is_uncertain(one: Template, other: Template) -> bool:
    """Whether Werkzeug may try two overlapping rules in another order than the gateway.

    It tries ``<uuid:id>`` and ``<name>`` in the order in which they were added; to the gateway, uuid is the narrower.
    """
    for left, right in zip(one.segments, other.segments, strict=False):
        if left.kind is not right.kind:
            return {left.kind, right.kind} == {Kind.UUID, Kind.SEGMENT}
    return False


def _places(
    endpoint: Endpoint,
    found: dict[tuple[Key, str], list[Endpoint]],
    redirects: dict[tuple[Key, str], list[Endpoint]],
) -> Iterator[tuple[str, dict[tuple[Key, str], list[Endpoint]]]]:
    for path in endpoint.paths:
        yield path, found
    for path in endpoint.redirected:
        yield path, redirects
