"""What is sent a second time when the first app has failed."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.splits import writes
from gateway.migrate.lint.subject import Subject

# RFC 9110, 9.2.2: twice is as good as once. Of these, the gateway sends none again by itself.
_TWICE_IS_TWICE = frozenset(("POST", "PATCH", "LOCK"))


@rule(
    "SG801",
    "a request that changes something may be done twice",
    why="With `repeatable: true` also POST and PATCH are sent to the second app after the first has failed, which may "
    "have done the work before it failed: two orders, two mails.",
    remedy="leave `repeatable` out, unless both apps share what makes one of two (an Idempotency-Key); or give what "
    "only reads a route of its own with the fallback",
)
def done_twice(subject: Subject) -> Iterator[Finding]:
    for own in subject.placed:
        if own.route is None or own.fallback is None or not own.fallback.repeatable:
            continue
        methods = [method for method in writes(subject, own) if method in _TWICE_IS_TWICE]
        if methods:
            path = (*own.path, "fallback") if own.route.fallback is not None else own.path
            message = f"{', '.join(methods)} may be done by both apps: fallback to '{own.fallback.to}', repeatable"
            yield Finding(path, message, "warning", own.label)


@rule(
    "SG802",
    "a fallback for requests that change something",
    why="PUT and DELETE are sent to the second app when the first does not answer, though that may have done it: where "
    "the apps have stores of their own, both have changed. POST and PATCH are not sent again once the first app has "
    "been given them: their users see the error all the same.",
    remedy="give what only reads a route of its own with the fallback, or `fallback: none` to this one",
)
def fallback_of_writes(subject: Subject) -> Iterator[Finding]:
    for own in subject.placed:
        if own.route is None or own.fallback is None or own.fallback.repeatable:
            continue
        # A route that was rolled back has itself for a fallback: nothing comes of it.
        methods = writes(subject, own) if not own.sends_to(own.fallback.to) or own.split else []
        if methods:
            path = (*own.path, "fallback") if own.route.fallback is not None else own.path
            message = f"{', '.join(methods)} with a fallback to '{own.fallback.to}'"
            yield Finding(path, message, "note", own.label)
