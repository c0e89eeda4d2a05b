"""From the literal and variable parts of an app's own path to a template of the gateway."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from gateway.migrate.inventory.endpoint import Parameter
from gateway.routing.path import PathError, canonical
from gateway.routing.template import Kind

# RFC 3986, 3.3, without the star, which a template must not have as a whole segment, and without what templates of the
# gateway, of Flask and of OpenAPI are written with.
_LITERAL = "!$&'()+,;=:@-._~"
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
_TYPES = {Kind.INT: ":int", Kind.UUID: ":uuid", Kind.REST: ":path"}


class Unroutable(ValueError):
    """No request can have this path: the gateway answers it with 400. The text is the reason."""


@dataclass(frozen=True, slots=True)
class Built:
    """``notes`` say where ``path`` is wider than what it was built from; ``coarse`` is as in Endpoint."""

    path: str
    notes: tuple[str, ...]
    coarse: bool = False


def build(parts: Iterable[str | Parameter]) -> Built:
    """The template for literal texts, slashes in them, and parameters; raises Unroutable."""
    segments: list[list[str | Parameter]] = [[]]
    for part in parts:
        if isinstance(part, Parameter):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        if first:
            segments[-1].append(first)
        segments += [[other] if other else [] for other in others]
    texts: list[str] = []
    notes: list[str] = []
    coarse = False
    taken: set[str] = set()
    for at, segment in enumerate(segments[1:], 1):
        text, note = _segment(segment, taken)
        texts.append(text)
        notes += note
        coarse = coarse or len(segment) > 1
        if text.endswith(":path}") and at < len(segments) - 1:
            notes.append(f"what follows {text[1:-6]} cannot be told: it takes the rest of the path")
            coarse = True
            break
    path = "/" + "/".join(texts)
    _check(path)
    return Built(path, tuple(notes), coarse)


def literal(text: str) -> str:
    """One literal segment, or several, as a template has them."""
    return "".join(c if c.isalnum() or c in _LITERAL or c == "/" else quote(c, safe="") for c in text)


def _segment(parts: Sequence[str | Parameter], taken: set[str]) -> tuple[str, list[str]]:
    """The text of one segment, and how it is wider than ``parts``. ``taken`` are the names so far."""
    match parts:
        case []:
            return "", []
        case [str(text)]:
            return literal(text), []
        case [Parameter() as parameter]:
            notes = [f"{parameter.name} is wider here: {_said(parameter)}"] if parameter.limits else []
            taken.add(parameter.name)
            return f"{{{parameter.name}{_TYPES.get(parameter.kind, '')}}}", notes
    written = "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in parts)
    parameters = [part for part in parts if isinstance(part, Parameter)]
    # A name of its own: the segment is not the parameter, and has not its type.
    words = (part.name if isinstance(part, Parameter) else _NO_WORD.sub("_", part).strip("_") for part in parts)
    name = "_".join(filter(None, words))
    name = name if not name[:1].isdigit() else f"_{name}"
    while name in taken or any(name == parameter.name for parameter in parameters):
        name += "_"
    taken.add(name)
    rest = ":path" if any(parameter.kind is Kind.REST for parameter in parameters) else ""
    return f"{{{name}{rest}}}", [f"{name} is wider here: '{written}' is only a part of the segments that match"]


def _said(parameter: Parameter) -> str:
    if parameter.limits == parameter.type:
        return f"it is of the type {parameter.type}"
    return f"it is of the type {parameter.type} ({parameter.limits})"


def _check(path: str) -> None:
    try:
        canonical(path.replace("{", "").replace("}", "").encode())
    except PathError as error:
        raise Unroutable(str(error)) from None
