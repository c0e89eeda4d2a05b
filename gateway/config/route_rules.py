"""What must hold of each route by itself, beyond the shape of each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.config.backend_rules import unknown_backend
from gateway.config.draft import Draft, Part
from gateway.config.finding import Finding
from gateway.config.model import SCALE
from gateway.config.position import Path
from gateway.config.rule_of import template_of
from gateway.config.shares import percent
from gateway.config.words import shorten
from gateway.routing.host import HostError, host_pattern
from gateway.routing.template import TemplateError

# The name that metrics and commands give to what no route matches.
RESERVED_NAME = "default"


def paths_are_templates(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        if route.has("path"):
            try:
                template_of(route.model.path)
            except TemplateError as error:
                yield Finding((*route.path, "path"), shorten(str(error), 200), after=route.model.path[: error.column])


def hosts_are_names(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        if route.model.host is not None:
            try:
                host_pattern(route.model.host)
            except HostError as error:
                yield Finding((*route.path, "host"), shorten(str(error), 200))


def targets_are_backends(draft: Draft) -> Iterator[Finding]:
    if draft.names is None:
        return
    for route in draft.routes:
        if not route.has("to"):
            continue
        to = route.model.to
        if isinstance(to, str):
            if to not in draft.names:
                yield Finding((*route.path, "to"), unknown_backend(to, draft.names))
            continue
        for name in to:
            if name not in draft.names:
                yield Finding((*route.path, "to", name), unknown_backend(name, draft.names), at_key=True)


def percentages_have_two_decimals(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        if route.has("to") and not isinstance(route.model.to, str):
            for name, share in route.model.to.items():
                if _too_fine(share):
                    message = f"{share:g} has more than two decimals; write {percent(round(share * 100))}"
                    yield Finding((*route.path, "to", name), message)


def percentages_add_up(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        to = route.model.to
        if not route.has("to") or isinstance(to, str) or any(map(_too_fine, to.values())):
            continue
        total = sum(weight for _, weight in route.model.weights)
        if total != SCALE:
            off = f"{percent(SCALE - total)} too little" if total < SCALE else f"{percent(total - SCALE)} too much"
            yield Finding((*route.path, "to"), f"the percentages add up to {percent(total)}, not 100: {off}")


def headers_can_match(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        seen: set[str] = set()
        for name, value in route.model.headers.items():
            path = (*route.path, "headers", name)
            if name.lower() in seen:
                yield Finding(path, f"the header '{name}' is given twice: case makes no difference", at_key=True)
            seen.add(name.lower())
            if name.lower() == "host":
                yield Finding(path, "write 'host: …' in the route itself to match the Host header", at_key=True)
            # RFC 9110, 5.5: no control characters, and white space around a value is not part of it.
            if value is not True and (value != value.strip(" \t") or not value.isprintable()):
                yield Finding(
                    path, "no request has a header with this value: it has spaces around it, or controls in it"
                )


def methods_are_named_once(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        yield from _named_once((*route.path, "methods"), route.model.methods or ())


def compat_is_named_once(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        yield from _named_once((*route.path, "compat"), route.model.compat)


def _named_once(path: Path, names: Sequence[str]) -> Iterator[Finding]:
    if len(set(names)) < len(names):
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Finding((*path, index), f"{name} is given twice")


def nothing_is_empty(draft: Draft) -> Iterator[Finding]:
    """A key without a value is a line that was not finished: read as if the key were absent, it would match more."""
    parts: list[Part[Any]] = [*draft.backends.values(), draft.defaults, draft.sticky_cookie, *draft.routes]
    if draft.override is not None:
        parts.append(draft.override)
    for part in parts:
        for key in part.model.model_fields_set:
            if getattr(part.model, key) is None and part.has(key):
                yield Finding((*part.path, key), f"'{key}' is empty; give it a value, or leave the key out")


def names_are_free(draft: Draft) -> Iterator[Finding]:
    for route in draft.routes:
        if route.model.name == RESERVED_NAME:
            message = f"'{RESERVED_NAME}' is the name of what no route matches; choose another"
            yield Finding((*route.path, "name"), message)


def _too_fine(percent: float) -> bool:
    return abs(percent * 100 - round(percent * 100)) > 1e-6
