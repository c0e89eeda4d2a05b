"""A slash at the end of a path: Flask and Starlette each redirect, but not alike."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.gathered import gathered
from gateway.migrate.lint.placed import listed_shortly
from gateway.migrate.lint.subject import Meeting, Subject


@rule(
    "SG201",
    "the new app has the path with another slash",
    why="The old app answers; the new one redirects with 307 to the other form of the path. Clients that do not follow "
    "redirects fail, and the route may not take that other form.",
    remedy="declare the path in the new app as the old one has it",
    needs=("legacy app", "new app"),
)
def slashes_are_turned(subject: Subject) -> Iterator[Finding]:
    for meeting, labels in gathered(subject.meetings, lambda m: _turned(subject, m) and not _loops(subject, m)):
        yield meeting.finding(f"the new app redirects to the path with the other slash: {listed_shortly(labels)}")


@rule(
    "SG202",
    "redirects in a loop",
    why="The new app redirects /a/ to /a, which no route sends to it; the old app redirects /a to /a/. The client goes "
    "round until it gives up.",
    remedy="declare the path in the new app as the old one has it; until then leave the route with the old app",
    needs=("legacy app", "new app"),
)
def slashes_loop(subject: Subject) -> Iterator[Finding]:
    for meeting, labels in gathered(subject.meetings, lambda m: _turned(subject, m) and _loops(subject, m)):
        yield meeting.finding(f"the two apps redirect to each other: {listed_shortly(labels)}")


@rule(
    "SG203",
    "slashes are redirected in another way",
    why="For a slash too few, Flask says 308, which browsers remember; Starlette 307. For a slash too many, Flask says "
    "404, and Starlette redirects, even for a wrong method.",
    remedy="add `compat: [slashes]` to the route, or route exactly the path that there is",
    needs=("legacy app", "new app"),
)
def redirects_differ(subject: Subject) -> Iterator[Finding]:
    def differs(meeting: Meeting) -> bool:
        endpoint, own = meeting.endpoint, meeting.placed
        other = other_slash(endpoint.path)
        if other is None or other in endpoint.paths or "slashes" in own.compat or endpoint.kind == "websocket":
            return False
        goes_too = any(each is own for each, _ in subject.takers(other, endpoint.host, meeting.methods))
        return goes_too and _redirects(subject, endpoint.path, other, endpoint.host)

    for meeting, labels in gathered(subject.meetings, differs):
        message = f"the other slash at the end is redirected in another way: {listed_shortly(labels)}"
        yield meeting.finding(message, "note")


def other_slash(path: str) -> str | None:
    """The path with a slash at its end or without; None where there is no such other."""
    if path == "/" or path.endswith(":path}"):
        return None
    return path[:-1] if path.endswith("/") else path + "/"


def _turned(subject: Subject, meeting: Meeting) -> bool:
    endpoint = meeting.endpoint
    other = other_slash(endpoint.path)
    return (
        other is not None and endpoint.kind != "websocket" and _redirects(subject, other, endpoint.path, endpoint.host)
    )


def _redirects(subject: Subject, known: str, asked: str, host: str | None) -> bool:
    """Whether the new app has ``known``, and sends who has ``asked`` there."""
    assert subject.new is not None
    return (
        subject.new.redirects_slashes
        and not subject.answering(asked, host)
        and any(endpoint.kind != "websocket" for endpoint in subject.answering(known, host))
    )


def _loops(subject: Subject, meeting: Meeting) -> bool:
    """Whether the old app, which is who gets the redirected request, sends it back."""
    endpoint = meeting.endpoint
    back = next((path for path in endpoint.redirected if path == other_slash(endpoint.path)), None)
    if back is None:
        return False
    return subject.stays(back, endpoint.host, meeting.methods)
