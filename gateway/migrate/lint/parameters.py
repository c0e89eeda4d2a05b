"""Parameters of a path: what fits them, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.config.rule_of import template_of
from gateway.migrate.inventory.compare import Counterpart, template_like, type_of
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.placed import listed_shortly
from gateway.migrate.lint.subject import Meeting, Subject
from gateway.routing.template import Kind

# What a Flask converter refuses with 404; "string" and "path" take any text.
_STRICT = frozenset(("int", "float", "uuid", "any"))


@dataclass(frozen=True, slots=True)
class Pair:
    """One place of a path in both apps. ``routed`` is what the route lets through there, ``checked`` the new router."""

    name: str
    legacy: tuple[str, Kind]
    new: tuple[str, Kind]
    routed: Kind
    checked: Kind


def pairs(meeting: Meeting, part: Counterpart) -> Iterator[Pair]:
    endpoint = meeting.endpoint
    routed = meeting.placed.rule.template.segments if meeting.placed.rule is not None else ()
    new = template_like(endpoint, part.endpoint).segments
    for at, (left, right) in enumerate(zip(template_of(endpoint.path).segments, new, strict=True)):
        if left.kind is Kind.LITERAL or left.kind is Kind.REST:
            continue
        kind = routed[at].kind if at < len(routed) and routed[at].kind is not Kind.REST else Kind.SEGMENT
        yield Pair(left.text, type_of(endpoint, left), type_of(part.endpoint, right), kind, right.kind)


def wider_parameters(meeting: Meeting, part: Counterpart) -> list[Pair]:
    """The parameters whose bad values, 404 to the old app, come to the new one and past its router."""
    return [
        pair
        for pair in pairs(meeting, part)
        if pair.legacy[0] in _STRICT
        and pair.checked is Kind.SEGMENT
        and pair.routed is Kind.SEGMENT
        and part.endpoint.kind != "websocket"
    ]


@rule(
    "SG301",
    "422 where it was 404",
    why="A Flask converter that does not fit is 404; FastAPI checks the type of the argument after routing, and says "
    "422 with a body of its own.",
    remedy="write the type into the route's path, such as {id:int}, so that what does not fit stays with the old app; "
    "or add `compat: [int404]`",
    needs=("legacy app", "new"),
)
def bad_values_are_422(subject: Subject) -> Iterator[Finding]:
    for meeting, places in _wider(subject, lambda pair: pair.new[0] in _STRICT | {"bool"}):
        if "int404" not in meeting.placed.compat:
            yield meeting.finding(f"what does not fit is 422 instead of 404 in {places}")


@rule(
    "SG302",
    "negative numbers are taken",
    why="Flask's <int> takes digits only: -1 is 404. FastAPI's int takes -1, and the view gets what it never got.",
    remedy="write {id:int} into the route's path, or Path(ge=0) into the new view, or add `compat: [int404]`",
    needs=("legacy app", "new"),
)
def negative_numbers(subject: Subject) -> Iterator[Finding]:
    for meeting, places in _wider(subject, lambda pair: (pair.legacy[1], pair.new[0]) == (Kind.INT, "int")):
        if "int404" not in meeting.placed.compat:
            yield meeting.finding(f"-1 is 404 in the old app, and taken by the new one, in {places}")


@rule(
    "SG303",
    "the new app takes less",
    why="What the old app takes as text is refused by the new one because its type is narrower.",
    remedy="write the narrower type into the route's path, so that the rest stays with the old app; or widen the type",
    needs=("legacy", "new"),
)
def new_takes_less(subject: Subject) -> Iterator[Finding]:
    for meeting, part in _parts(subject):
        routed = {pair.name: pair.routed for pair in pairs(meeting, part)}
        for narrowed in part.narrowed:
            if routed.get(narrowed.name, Kind.SEGMENT) is Kind.SEGMENT:
                yield meeting.finding(
                    f"'{narrowed.name}' is {narrowed.legacy} in the old app and {narrowed.new} in the new one, "
                    f"in {meeting.endpoint.rule}"
                )


@rule(
    "SG304",
    "the new app takes anything",
    why="Flask's converter keeps bad values away from the view; the new one has no type there, and gets them.",
    remedy="give the argument a type in the new app, or write it into the route's path, such as {id:int}",
    needs=("legacy app", "new"),
)
def new_takes_anything(subject: Subject) -> Iterator[Finding]:
    for meeting, places in _wider(subject, lambda pair: pair.new[0] == "string"):
        yield meeting.finding(f"what is 404 in the old app comes to the new view in {places}")


@rule(
    "SG305",
    "parameters have changed places",
    why="Both apps have the same names in another order: one of them will read an id for the other's.",
    remedy="put the names in the same order",
    needs=("legacy", "new"),
)
def parameters_are_swapped(subject: Subject) -> Iterator[Finding]:
    for meeting, part in _parts(subject):
        old, new = _names(meeting, part)
        if old != new and sorted(old) == sorted(new):
            yield meeting.finding(f"{meeting.endpoint.rule} is {part.endpoint.rule} in the new app: the order differs")


@rule(
    "SG306",
    "parameters have other names",
    why="Requests are the same. What is made from the names changes: url_for(), clients generated from OpenAPI, and "
    "names in logs.",
    remedy="use the old names in the new app where something depends on them",
    needs=("legacy", "new"),
)
def parameters_are_renamed(subject: Subject) -> Iterator[Finding]:
    for meeting, part in _parts(subject):
        old, new = _names(meeting, part)
        if sorted(old) != sorted(new):
            renamed = [f"{was} is {now}" for was, now in zip(old, new, strict=False) if was != now]
            yield meeting.finding(f"in the new app, {listed_shortly(renamed)}, of {meeting.endpoint.rule}", "note")


def _parts(subject: Subject) -> Iterator[tuple[Meeting, Counterpart]]:
    """Each route with each endpoint of both apps; an endpoint in several parts of one comes but once."""
    seen: set[object] = set()
    for meeting in subject.meetings:
        for part in meeting.compared.counterparts:
            key = (meeting.placed.path, meeting.endpoint.rule, part.endpoint.rule)
            if key not in seen and (not part.methods or part.methods & meeting.methods):
                seen.add(key)
                yield meeting, part


def _wider(subject: Subject, wanted: Callable[[Pair], bool]) -> Iterator[tuple[Meeting, str]]:
    """The routes with wider parameters of which some are ``wanted``, and in words which."""
    for meeting, part in _parts(subject):
        names = ", ".join(f"'{pair.name}'" for pair in wider_parameters(meeting, part) if wanted(pair))
        if names:
            yield meeting, f"{names} of {meeting.endpoint.rule}"


def _names(meeting: Meeting, part: Counterpart) -> tuple[list[str], list[str]]:
    return (
        [parameter.name for parameter in meeting.endpoint.parameters],
        [parameter.name for parameter in part.endpoint.parameters],
    )
