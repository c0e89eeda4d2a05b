"""Two inventories side by side: which endpoint of the one exists in the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint, Inventory
from gateway.routing.template import Kind, Segment, Template

# A template without the names and types of its parameters.
Outline = tuple[tuple[Kind, str], ...]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A parameter for which the new endpoint takes less. ``kind`` is what both take, as far as the gateway knows it."""

    name: str
    legacy: str
    new: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Counterpart:
    """An endpoint of the new app for ``methods`` of a legacy one; empty where both answer every method."""

    endpoint: Endpoint
    methods: frozenset[str]
    narrowed: tuple[Narrowed, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """A legacy endpoint. ``missing`` are its methods that the new side lacks, those of the framework left out."""

    endpoint: Endpoint
    counterparts: tuple[Counterpart, ...]
    missing: frozenset[str]

    @property
    def methods(self) -> frozenset[str]:
        """The methods on both sides. HEAD goes with GET: it is the same without the body (RFC 9110, 9.3.2)."""
        both = frozenset(method for each in self.counterparts for method in each.methods)
        return both | ({"HEAD"} & self.endpoint.methods if "GET" in both else frozenset())

    @property
    def on_both_sides(self) -> bool:
        return bool(self.counterparts)

    @property
    def narrowed(self) -> tuple[Narrowed, ...]:
        return tuple({each.name: each for part in self.counterparts for each in part.narrowed}.values())


@dataclass(frozen=True, slots=True)
class OnlyNew:
    """An endpoint of the new app with its ``methods`` that no legacy endpoint has."""

    endpoint: Endpoint
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    legacy: tuple[Compared, ...]
    only_new: tuple[OnlyNew, ...]


def compare(legacy: Inventory, new: Inventory | None) -> Comparison:
    """Endpoints correspond when their paths have one shape, whatever their parameters are called, method by method."""
    candidates: dict[tuple[Outline, bool], list[Endpoint]] = defaultdict(list)
    for endpoint in new.endpoints if new is not None else ():
        for path in endpoint.paths:
            candidates[outline(template_of(path)), endpoint.kind == "websocket"].append(endpoint)
    compared = _without_seconds([_compared(each, candidates) for each in legacy.endpoints])
    used: dict[object, set[str]] = defaultdict(set)
    for each in compared:
        for counterpart in each.counterparts:
            used[_place(counterpart.endpoint)] |= counterpart.methods or {"*"}
    only_new = [_only_new(each, used.get(_place(each))) for each in (new.endpoints if new is not None else ())]
    return Comparison(compared, tuple(each for each in only_new if each is not None))


def shared_path(path: str, narrowed: Iterable[Narrowed]) -> str:
    """``path`` with the types that both sides take, so that what the new one would refuse stays where it is."""
    for each in narrowed:
        if each.kind in (Kind.INT, Kind.UUID):
            path = path.replace(f"{{{each.name}}}", f"{{{each.name}:{each.kind.name.lower()}}}")
    return path


def outline(template: Template) -> Outline:
    return tuple(
        (each.kind, each.text) if each.kind is Kind.LITERAL else (_free(each.kind), "") for each in template.segments
    )


def _place(endpoint: Endpoint) -> object:
    """The same for endpoints of which an app only ever comes to the first."""
    return template_of(endpoint.path).shape, endpoint.host, endpoint.kind == "websocket"


def _free(kind: Kind) -> Kind:
    return Kind.REST if kind is Kind.REST else Kind.SEGMENT


def _compared(endpoint: Endpoint, candidates: dict[tuple[Outline, bool], list[Endpoint]]) -> Compared:
    template = template_of(endpoint.path)
    fitting: list[tuple[int, Endpoint, tuple[Narrowed, ...]]] = []
    for candidate in candidates.get((outline(template), endpoint.kind == "websocket"), ()):
        narrowed = _narrowed(endpoint, candidate)
        if narrowed is not None and candidate.host in (None, endpoint.host):
            fitting.append((len(narrowed), candidate, narrowed))
    # What takes as much as the legacy endpoint goes first; otherwise the first that the app declares, as it does.
    fitting.sort(key=lambda each: each[0])
    wanted = endpoint.own
    left = set(wanted)
    counterparts: list[Counterpart] = []
    for _, candidate, narrowed in fitting:
        has = candidate.methods if not wanted else left if not candidate.methods else left & candidate.methods
        if has or (not wanted and not candidate.methods):
            counterparts.append(Counterpart(candidate, frozenset(has), narrowed))
            left -= has
    return Compared(endpoint, tuple(counterparts), frozenset(left))


def _without_seconds(compared: list[Compared]) -> tuple[Compared, ...]:
    """What takes as much as one legacy endpoint is not the counterpart of another, which takes more."""
    claimed = {
        (id(part.endpoint), method)
        for each in compared
        for part in each.counterparts
        if not part.narrowed
        for method in part.methods
    }
    return tuple(_without_claimed(each, claimed) for each in compared)


def _without_claimed(each: Compared, claimed: set[tuple[int, str]]) -> Compared:
    counterparts: list[Counterpart] = []
    missing = set(each.missing)
    for part in each.counterparts:
        lost = {method for method in part.methods if part.narrowed and (id(part.endpoint), method) in claimed}
        missing |= lost
        if not lost:
            counterparts.append(part)
        elif part.methods - lost:
            counterparts.append(replace(part, methods=part.methods - lost))
    return Compared(each.endpoint, tuple(counterparts), frozenset(missing))


def _narrowed(legacy: Endpoint, new: Endpoint) -> tuple[Narrowed, ...] | None:
    """Where ``new`` takes less than ``legacy``; None if the two have nothing in common."""
    narrowed: list[Narrowed] = []
    for left, right in zip(template_of(legacy.path).segments, template_like(legacy, new).segments, strict=True):
        if left.kind is Kind.LITERAL or left.kind is Kind.REST:
            continue
        mine, theirs = type_of(legacy, left), type_of(new, right)
        if left.kind is Kind.SEGMENT and theirs[1] in (Kind.INT, Kind.UUID) and mine[0] in ("float", "any", ""):
            return None
        if {left.kind, theirs[1]} == {Kind.INT, Kind.UUID}:
            return None
        if left.kind is Kind.SEGMENT and theirs[1] is not Kind.SEGMENT:
            narrowed.append(Narrowed(left.text, mine[0], theirs[0], theirs[1]))
        elif left.kind is Kind.SEGMENT and mine[0] == "string" and theirs[0] in ("float", "any", "bool"):
            narrowed.append(Narrowed(left.text, mine[0], theirs[0], Kind.SEGMENT))
    return tuple(narrowed)


def template_like(legacy: Endpoint, new: Endpoint) -> Template:
    """The one of the paths of ``new`` that has the shape of the path of ``legacy``."""
    wanted = outline(template_of(legacy.path))
    return next(each for path in new.paths if outline(each := template_of(path)) == wanted)


def type_of(endpoint: Endpoint, segment: Segment) -> tuple[str, Kind]:
    """What a parameter is to the app: the word for it, and the kind that its values have.

    The word is "" for a segment of several parts, which has no parameter of its name.
    """
    for parameter in endpoint.parameters:
        if parameter.name == segment.text:
            return parameter.type, parameter.kind
    return "", segment.kind


def _only_new(endpoint: Endpoint, used: Iterable[str] | None) -> OnlyNew | None:
    if used is None:
        return OnlyNew(endpoint, endpoint.methods)
    # HEAD goes with GET, and an endpoint for all methods is there as soon as one of them is.
    left = endpoint.methods - set(used) - endpoint.automatic - {"HEAD"}
    return OnlyNew(endpoint, left) if left else None
