"""Which endpoint answers where several match: to FastAPI the first that was declared."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.rule_of import template_of
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.lint.finding import Finding, rule
from gateway.migrate.lint.subject import Subject
from gateway.routing.overlap import covers


@rule(
    "SG401",
    "an endpoint of the new app is never reached",
    why="Flask takes the more specific of two paths; FastAPI the one that is declared first. /u/me after /u/{id} is "
    "never reached: the other view gets 'me' for an id.",
    remedy="declare the more specific path first",
    needs=("new",),
)
def declared_too_late(subject: Subject) -> Iterator[Finding]:
    for at, late in enumerate(subject.new_endpoints):
        first = next((each for each in subject.new_endpoints[:at] if _takes_all(each, late)), None)
        if first is None:
            continue
        message = f"in the new app, {first.label} is declared before {late.label}, and takes all of its requests"
        takers = [own for own, _ in subject.takers(late.path, late.host, sorted(late.methods) or [""])]
        for own in takers:
            yield Finding(own.path, message, "warning" if own.share > 0 else "note", own.label)
        if not takers and subject.new_name is not None:
            yield Finding(("backends", subject.new_name), message, "note")


def _takes_all(first: Endpoint, late: Endpoint) -> bool:
    """Whether nothing is left for ``late``. Of what the gateway cannot say exactly, nothing is known."""
    if not first.exact or (first.kind == "websocket") != (late.kind == "websocket"):
        return False
    if first.host is not None and first.host != late.host:
        return False
    if first.methods and not (late.methods and late.own <= first.methods):
        return False
    return all(any(covers(template_of(wide), template_of(path)) for wide in first.paths) for path in late.paths)
