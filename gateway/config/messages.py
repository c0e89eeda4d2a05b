"""What pydantic found wrong with the shape of the data, in words that need no pydantic.

Its error types are not translated one by one: for a user "must be X, not Y" is one kind of mistake, whether the type,
the range or the pattern failed. What X is depends on the place in the file only, and is listed in expected.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from gateway.config.expected import EXPECTED, MISSING, MODELS, NAME, OTHER_WORDS
from gateway.config.finding import Finding
from gateway.config.model import METHODS, Compat
from gateway.config.position import Path
from gateway.config.words import did_you_mean, listed, nearest, shorten

# How many steps lead to a field of what is a section or a list of sections.
_DEPTH_OF_FIELDS: Final[Mapping[str | int, int]] = {"routes": 3, "backends": 3, "defaults": 2}
# Of these pydantic also says which form it took the value for.
_IN_TWO_FORMS: Final = ("to", "fallback", "breaker", "outliers")
# Of a route: what is a section, a mapping or a list itself.
_WITH_PARTS: Final = ("to", "headers", "query", "methods", "compat", "breaker", "limit")

_STICKY_WORDS: Final = ("cookie", "header", "ip", "none")


def findings(errors: Sequence[Mapping[str, Any]], data: object) -> Iterator[Finding]:
    """One finding for each place that pydantic's ``errors`` are about; ``data`` is what it was given."""
    seen: set[Path] = set()
    # Keys first: a misspelt key often has a strange value (`legacy:90` without the space is a key without a value) or
    # leaves another key missing, and it is the key that must be said. Then inner before outer: a list whose items are
    # wrong is also reported as too short.
    for error in sorted(errors, key=_urgency):
        path, is_key = place_of(error)
        kind = str(error["type"])
        if path in seen or (kind == "too_short" and any(inner[: len(path)] == path for inner in seen)):
            continue
        seen.add(path)
        if kind == "extra_forbidden":
            meant = meant_key(str(path[-1]), pattern(path[:-1]))
            if meant is not None:
                seen.add((*path[:-1], meant))
        yield _finding(kind, path, is_key, data)


def _urgency(error: Mapping[str, Any]) -> tuple[bool, int]:
    about_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
    return not about_key, -len(error["loc"])


def place_of(error: Mapping[str, Any]) -> tuple[Path, bool]:
    """Where an error of pydantic is in the data, and whether it is about the key there.

    pydantic's ``loc`` also names the branches of unions, and that a key is meant.
    """
    location: tuple[str | int, ...] = error["loc"]
    is_key = location[-1:] == ("[key]",)
    if is_key:
        location = location[:-1]
    depth = _DEPTH_OF_FIELDS.get(location[0], 0) if location else 0
    if depth and len(location) > depth:
        field = location[depth - 1]
        if field in _IN_TWO_FORMS:
            location = (*location[:depth], *location[depth + 1 :])
        if field == "fallback":
            location = location[: depth + 2]
        elif location[0] == "routes":
            location = location[: 4 if field in _WITH_PARTS else 3]
    return location, is_key


def pattern(path: Path) -> str:
    """The kind of place that ``path`` is, as ``EXPECTED`` names it."""
    steps: list[str] = []
    for step in path:
        chosen = isinstance(step, int) or steps in (
            ["backends"],
            ["routes", "*", "to"],
            ["routes", "*", "headers"],
            ["routes", "*", "query"],
        )
        steps.append("*" if chosen else str(step))
    return ".".join(steps)


def _finding(kind: str, path: Path, is_key: bool, data: object) -> Finding:
    place = pattern(path)
    if kind == "missing":
        return Finding(path[:-1], MISSING.get(place, f"'{path[-1]}' is missing"))
    if kind == "extra_forbidden":
        return Finding(path, _unknown_key(str(path[-1]), pattern(path[:-1])), at_key=True)
    if kind == "invalid_key":
        return Finding(path, f"a key must be text, not {show(path[-1])}", at_key=True)
    if is_key:
        return Finding(path, _bad_key(path[-1], place), at_key=True)
    if not path:
        return Finding(path, "expected a mapping with 'version', 'backends' and 'default'")
    return Finding(path, _bad_value(path, place, value_at(data, path)))


def meant_key(key: str, parent: str) -> str | None:
    """The key that was probably meant by ``key`` in a section that has no such key."""
    return OTHER_WORDS.get(parent, {}).get(key.lower()) or nearest(key, MODELS[parent].model_fields)


def _unknown_key(key: str, parent: str) -> str:
    known = list(MODELS[parent].model_fields)
    meant = meant_key(key, parent)
    if meant is not None:
        return f"unknown key '{shorten(key)}'; did you mean '{meant}'?"
    return f"unknown key '{shorten(key)}'; the keys here are {listed(known)}"


def _bad_key(key: object, place: str) -> str:
    if not isinstance(key, str):
        return f"a key must be text, not {show(key)}"
    if place == "routes.*.to.*" and ":" in key:
        return f"a space is missing after the ':' in '{shorten(key)}'"
    if place == "routes.*.headers.*":
        return f"'{shorten(key)}' cannot be a header name"
    return f"'{shorten(key)}' cannot be a backend's name; it must be {NAME}"


def _bad_value(path: Path, place: str, value: object) -> str:
    expected = EXPECTED.get(place, "something else")
    key = shorten(next(str(step) for step in reversed(path) if isinstance(step, str)))
    if value is None:
        return f"'{key}' is empty; it must be {expected}"
    if place == "override.secret":
        return f"'secret' must be {expected}"
    if isinstance(value, str):
        return _bad_text(place, key, expected, value)
    if isinstance(value, bool | int | float) and expected.startswith(("text", "a host")):
        return f"'{key}' must be {expected}, not {show(value)}; put it in quotes"
    return f"'{key}' must be {expected}, not {show(value)}"


def _bad_text(place: str, key: str, expected: str, value: str) -> str:
    shown = shorten(value)
    match place:
        case "routes.*.methods.*":
            return f"unknown method '{shown}'" + did_you_mean(value, METHODS, otherwise=f"; it must be {expected}")
        case "routes.*.methods" | "routes.*.compat":
            return f"'{key}' must be a list; write [{shown}]"
        case "routes.*.compat.*":
            return f"'compat' must be {expected}, not '{shown}'" + did_you_mean(value, get_args(Compat))
        case "routes.*.sticky" | "defaults.sticky":
            return f"'{key}' must be {expected}, not '{shown}'" + _sticky_meant(value)
        case "routes.*.fallback.on" | "defaults.fallback.on":
            return f"'{key}' must be a list; write [{shown}]"
        case "routes.*.fallback.on.*" | "defaults.fallback.on.*":
            return f"'{key}' must be {expected}, not '{shown}'" + did_you_mean(value, ("connect", "timeout"))
        case "routes.*.breaker" | "backends.*.breaker":
            return f"'{key}' must be {expected}, not '{shown}'" + did_you_mean(value, ("off", "open", "closed"))
        case "backends.*.outliers":
            return f"'{key}' must be {expected}, not '{shown}'" + did_you_mean(value, ("off",))
        case "backends.*.health":
            return f"'{key}' must be {expected}; write {{path: \"{shown}\"}}"
        case "backends.*.interface":
            return f"'{key}' must be {expected}, not '{shown}'" + did_you_mean(value, ("auto", "asgi", "wsgi"))
        case "backends.*":
            return f"'{key}' must be a mapping; write {{app: \"{shown}\"}}"
        case "routes.*.to.*" | "tracing.sample" if value.endswith("%"):
            return f"'{key}' must be {expected}, without the % sign"
        case _:
            return f"'{key}' must be {expected}, not '{shown}'"


def _sticky_meant(value: str) -> str:
    word, _, name = value.partition(":")
    meant = nearest(word, _STICKY_WORDS)
    if meant is None:
        return ""
    if meant == "header":
        return f"; did you mean 'header:{shorten(name.strip() or 'X-User-Id')}'?"
    if meant == "cookie" and name.strip():
        return f"; did you mean 'cookie:{shorten(name.strip())}'?"
    return f"; did you mean '{meant}'?"


def show(value: object) -> str:
    """A value of the data as a message shows it, in YAML's words and not Python's."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return shorten(repr(value)) if abs(value) < 1e18 else "so large a number"
        case str():
            return f"'{shorten(value)}'"
        case Mapping():
            return "a mapping" if value else "an empty mapping"
        case list() | tuple() | set() | frozenset():
            return "a list" if value else "an empty list"
        case _:
            return f"a {type(value).__name__}"


def value_at(data: object, path: Path) -> object:
    for step in path:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, Sequence) and not isinstance(data, str) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data
