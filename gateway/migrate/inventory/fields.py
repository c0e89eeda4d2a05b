"""The types of path parameters in the signature of a FastAPI endpoint."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_origin

from gateway.routing.template import Kind

_TYPES: Mapping[Any, tuple[str, Kind]] = {
    int: ("int", Kind.INT),
    uuid.UUID: ("uuid", Kind.UUID),
    float: ("float", Kind.SEGMENT),
    bool: ("bool", Kind.SEGMENT),
}


def typed_parameters(dependant: Any) -> dict[str, tuple[str, Kind]]:
    """By name of the parameter, the type that the endpoint or one of its dependencies declares, and the kind of it.

    FastAPI checks it after routing: what does not fit is answered 422 and goes to no other route.
    """
    return {field.name: kind for field in _fields(dependant) if (kind := _kind(_annotation(field))) is not None}


def _fields(dependant: Any) -> Iterator[Any]:
    if dependant is None:
        return
    for inner in getattr(dependant, "dependencies", ()):
        yield from _fields(inner)
    yield from getattr(dependant, "path_params", ())


def _annotation(field: Any) -> Any:
    return getattr(getattr(field, "field_info", None), "annotation", None)


def _kind(annotation: Any) -> tuple[str, Kind] | None:
    if get_origin(annotation) is Literal or (isinstance(annotation, type) and issubclass(annotation, enum.Enum)):
        return "any", Kind.SEGMENT
    try:
        return _TYPES.get(annotation)
    except TypeError:  # not hashable
        return None
