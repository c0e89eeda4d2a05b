"""Methods that the old app answers and the new one does not."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.gathered import gathered
from gateway.migrate.lint.parameters import wider_parameters
from gateway.migrate.lint.placed import listed_shortly
from gateway.migrate.lint.slashes import other_slash
from gateway.migrate.lint.subject import Meeting, Subject


@rule(
    "SG101",
    "HEAD is refused",
    why="Flask answers HEAD wherever it answers GET; FastAPI says 405. Link checkers, caches, monitors and download "
    "tools ask so.",
    remedy="add `compat: [head]` to the route, or HEAD to the view: @app.api_route(..., methods=['GET', 'HEAD']); or "
    "leave HEAD with the old app: methods: [GET]",
    needs=("legacy", "new"),
)
def head_is_refused(subject: Subject) -> Iterator[Finding]:
    def lacks(meeting: Meeting) -> bool:
        if not {"GET", "HEAD"} <= meeting.endpoint.methods or "HEAD" not in meeting.methods:
            return False
        return (
            meeting.compared.on_both_sides
            and "head" not in meeting.placed.compat
            and not falls_back(subject, meeting, 405)
            and bool(_new(subject, meeting, "GET"))
            and not _new(subject, meeting, "HEAD")
        )

    for meeting, labels in gathered(subject.meetings, lacks):
        yield _refused(subject, meeting, "HEAD", labels)


@rule(
    "SG102",
    "OPTIONS is refused",
    why="Flask answers OPTIONS by itself, with the methods in Allow; FastAPI says 405. Some clients ask before they "
    "send; browsers do for other origins, unless the new app has CORSMiddleware, which answers those.",
    remedy="add `compat: [options]` to the route, or name its methods without OPTIONS, so that the old app answers",
    needs=("legacy", "new"),
)
def options_is_refused(subject: Subject) -> Iterator[Finding]:
    def lacks(meeting: Meeting) -> bool:
        return (
            meeting.compared.on_both_sides
            and "OPTIONS" in meeting.methods & meeting.endpoint.automatic
            and "options" not in meeting.placed.compat
            and not falls_back(subject, meeting, 405)
            and bool(_new(subject, meeting))
            and not _new(subject, meeting, "OPTIONS")
        )

    for meeting, labels in gathered(subject.meetings, lacks):
        yield _refused(subject, meeting, "OPTIONS", labels)


@rule(
    "SG103",
    "a method is missing",
    why="The route takes the method along, and the new app answers 405 where the old one did its work.",
    remedy="name in `methods:` those that the new app has, so that the others stay; or port the view; or add 405 to "
    "`fallback: {to: ..., on: [...]}`",
    needs=("legacy", "new"),
)
def methods_are_missing(subject: Subject) -> Iterator[Finding]:
    missing: dict[int, list[str]] = {}

    def lacks(meeting: Meeting) -> bool:
        if meeting.endpoint.kind == "websocket" or not _new(subject, meeting) or falls_back(subject, meeting, 405):
            return False
        own = meeting.methods & meeting.endpoint.own - {"", "HEAD"}
        missing[id(meeting)] = sorted(method for method in own if not _new(subject, meeting, method))
        return bool(missing[id(meeting)])

    for meeting, _ in gathered(subject.meetings, lacks, each=True):
        methods = ", ".join(missing[id(meeting)])
        yield meeting.finding(f"the new app has {meeting.endpoint.rule}, but not {methods} of it: 405")


@rule(
    "SG104",
    "an endpoint is missing",
    why="The route sends requests to the new app that only the old one can answer: they become 404.",
    remedy="give the endpoint a route of its own that stays, or a narrower path to this one; or add 404 to "
    "`fallback: {to: ..., on: [...]}`",
    needs=("legacy", "new"),
)
def endpoints_are_missing(subject: Subject) -> Iterator[Finding]:
    assert subject.new is not None
    redirects = subject.new.redirects_slashes

    def lacks(meeting: Meeting) -> bool:
        if _new(subject, meeting) or falls_back(subject, meeting, 404):
            return False
        if meeting.endpoint.kind == "websocket" and not subject.has("new app"):
            return False
        # Redirected to the other form of its path: that is SG201's.
        other = other_slash(meeting.endpoint.path)
        return not (redirects and other is not None and subject.answering(other, meeting.endpoint.host))

    for meeting, labels in gathered(subject.meetings, lacks):
        yield meeting.finding(f"the new app does not have {listed_shortly(labels)}: 404")


@rule(
    "SG105",
    "405 where it was 404",
    why="To Flask a path whose parameter does not fit its converter is unknown, whatever the method. FastAPI looks at "
    "types after the method: it says 405 for methods that it does not have there.",
    remedy="write the type into the route's path, such as {id:int}: then the old app answers what does not fit; or "
    "name the route's methods",
    needs=("legacy app", "new"),
)
def unknown_is_not_allowed(subject: Subject) -> Iterator[Finding]:
    def differs(meeting: Meeting) -> bool:
        takes_any = meeting.placed.rule is None or not meeting.placed.rule.methods
        return takes_any and any(wider_parameters(meeting, part) for part in meeting.compared.counterparts)

    for meeting, labels in gathered(subject.meetings, differs):
        yield meeting.finding(
            f"a bad value in the path is 404 in the old app for every method, and 405 in the new one for those that it "
            f"does not have: {listed_shortly(labels)}",
            "note",
        )


@rule(
    "SG106",
    "another view of the new app answers",
    why="The new app does not have the endpoint, but a wider path that matches its requests: /users/{name} gets 'me' "
    "for a name, where the old app has /users/me.",
    remedy="give the endpoint a route of its own that stays, or port it",
    needs=("legacy", "new"),
)
def another_view_answers(subject: Subject) -> Iterator[Finding]:
    def taken(meeting: Meeting) -> bool:
        own = (meeting.methods & meeting.endpoint.own) - meeting.compared.methods - {"", "HEAD"}
        return (
            not meeting.compared.on_both_sides
            and meeting.endpoint.kind != "websocket"
            # What is behind a mount that cannot be looked into may be just this.
            and any(each.kind == "http" for method in own for each in _new(subject, meeting, method))
        )

    for meeting, labels in gathered(subject.meetings, taken):
        yield meeting.finding(f"the new app answers {listed_shortly(labels)} with a view for other paths")


def falls_back(subject: Subject, meeting: Meeting, status: int) -> bool:
    """Whether the old app answers in the new one's place when that says ``status``."""
    fallback = meeting.placed.fallback
    return fallback is not None and fallback.to == subject.legacy_name and status in fallback.on


def _refused(subject: Subject, meeting: Meeting, method: str, labels: list[str]) -> Finding:
    """A note where a middleware of the app's own may answer: it can do what no route of the app does."""
    own = subject.new.middleware if subject.new is not None else ()
    unless = f", unless {listed_shortly(own)} answers" if own else ""
    message = f"{method} is 405 in the new app{unless}: {listed_shortly(labels)}"
    return meeting.finding(message, "note" if own else None)


def _new(subject: Subject, meeting: Meeting, method: str = "") -> list[Endpoint]:
    endpoint = meeting.endpoint
    return [found for path in endpoint.paths for found in subject.answering(path, endpoint.host, method)]
