"""Splits that show a user two versions of one thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gateway.config.shares import shares_text
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.placed import Placed, listed_shortly, unsafe
from gateway.migrate.lint.subject import Subject
from gateway.migrate.resource import resource_of

_UNSAFE = ("DELETE", "PATCH", "POST", "PUT")


@rule(
    "SG501",
    "reads and writes are split apart",
    why="Each of these routes decides by itself who is on which side. A user may write with one app and read with the "
    "other: what the apps keep for themselves, caches and validation among it, then does not fit together.",
    remedy="give the routes one `group`, so that a user has one version of all of them",
)
def split_apart(subject: Subject) -> Iterator[Finding]:
    found: dict[str, list[tuple[Placed, list[str]]]] = defaultdict(list)
    for own in subject.placed:
        if own.route is not None and own.split and own.sticky != "none":
            found[resource_of(own.route.path, own.route.host)].append((own, writes(subject, own)))
    for routes in found.values():
        (first, _), *others = routes
        assert first.route is not None
        for own, methods in others:
            assert own.route is not None
            apart = own.route.salt != first.route.salt
            written = methods or next((each for _, each in routes if each), [])
            if apart and written:
                yield _finding(
                    own,
                    f"'{first.label}' is split, too, and has not the group of this route: "
                    f"what one user writes ({', '.join(written)}) and reads may be in two apps",
                )


@rule(
    "SG502",
    "writes are split without stickiness",
    why="With `sticky: none` each request is decided on its own: a user's second write, or the page after it, is in "
    "the other app every few requests.",
    remedy="let the route stick: `sticky: cookie`, or cookie:NAME, header:NAME, ip",
)
def writes_without_stickiness(subject: Subject) -> Iterator[Finding]:
    for own in subject.placed:
        if own.split and own.sticky == "none" and (methods := writes(subject, own)):
            yield _finding(own, f"{', '.join(methods)} split with `sticky: none`: {shares_text(own.weights)}")


@rule(
    "SG503",
    "static files are split",
    why="The two apps give a file different ETags, and a page of one version may ask the other for its files: caches "
    "are of no use, and a stylesheet that only one app has is missing every so often.",
    remedy="send files to one app, whole; or let a web server in front give them out",
    needs=("legacy",),
)
def files_are_split(subject: Subject) -> Iterator[Finding]:
    yield from _split(subject, "static", "files")


@rule(
    "SG504",
    "WebSockets are split",
    why="A connection stays where it began, and the next one of the same page may be in the other app: who is in one "
    "room of a chat is then in two processes that do not know of each other.",
    remedy="move the WebSocket as a whole; or let both apps talk to each other by a broker, and ignore this",
    needs=("new app",),
)
def websockets_are_split(subject: Subject) -> Iterator[Finding]:
    yield from _split(subject, "websocket", "WebSockets")


@rule(
    "SG505",
    "the default is not the old app while routes are split",
    why="The default's share is the last on the line on which users stand. Another default is another order: at the "
    "same percentages, other users are on the new side.",
    remedy="change `default` when no route is split any more: set them to one backend first",
)
def default_has_changed(subject: Subject) -> Iterator[Finding]:
    splits = [own.label for own in subject.placed if own.split]
    if splits and subject.config.default != subject.legacy_name:
        message = f"if this was '{subject.legacy_name}' before, the users of {listed_shortly(splits)} change sides"
        yield Finding(("default",), message, "note")


def writes(subject: Subject, own: Placed) -> list[str]:
    """The methods of a route that change something, as far as it is known which it has."""
    if own.rule is not None and own.rule.methods:
        return unsafe(own.rule.methods)
    if subject.legacy is None and subject.new is None:
        return list(_UNSAFE)
    return unsafe({method for endpoint, methods in subject.reached(own) for method in _real(endpoint, methods)})


def _real(endpoint: Endpoint, methods: Iterable[str]) -> Iterable[str]:
    if endpoint.kind != "http":
        return ()
    return _UNSAFE if "" in methods else methods


def _split(subject: Subject, kind: str, name: str) -> Iterator[Finding]:
    """The splits that endpoints of this kind are in."""
    for own in subject.placed:
        found = [endpoint.rule for endpoint, _ in subject.reached(own) if endpoint.kind == kind] if own.split else []
        if found:
            yield _finding(own, f"{name} are split by percentage: {listed_shortly(found)}")


def _finding(own: Placed, message: str) -> Finding:
    return Finding((*own.path, "to") if own.route is not None else own.path, message, "warning", own.label)
