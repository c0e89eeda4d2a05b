"""The fields of an answer whose types JSON does not have: two frameworks write them differently."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, PlainSerializer, WrapSerializer

from gateway.migrate.inventory.endpoint import Answer

_TYPES: Mapping[Any, str] = {
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "timedelta",
    decimal.Decimal: "Decimal",
    bytes: "bytes",
    float: "float",
}
# In a JSON Schema, by ``format``.
_FORMATS = {
    "date-time": "datetime",
    "date": "date",
    "time": "time",
    "duration": "timedelta",
    "binary": "bytes",
}

Resolve = Callable[[object], Mapping[str, Any]]


def answers_of(annotation: Any) -> tuple[Answer, ...]:
    """Those of a FastAPI endpoint with this ``response_model``; of every model in it, once."""
    return tuple(dict.fromkeys(_walk(annotation, "", set())))


def answers_of_schema(
    schema: Mapping[str, Any], resolve: typing.Callable[[object], Mapping[str, Any]]
) -> tuple[Answer, ...]:
    """The same from an OpenAPI document. ``resolve`` follows a ``$ref``; a Decimal is text there, and not told."""
    return tuple(dict.fromkeys(_walk_schema(schema, "", resolve, set())))


def _walk(annotation: Any, name: str, seen: set[Any]) -> Iterator[Answer]:
    while hasattr(annotation, "__value__"):
        # ``type Price = Decimal``
        annotation = annotation.__value__
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *metadata = typing.get_args(annotation)
        if not _is_serialized(metadata):
            yield from _walk(inner, name, seen)
        return
    if origin is not None and origin is not typing.Literal:
        for argument in typing.get_args(annotation):
            yield from _walk(argument, name, seen)
    if not isinstance(annotation, type) or isinstance(annotation, types.GenericAlias):
        return
    if annotation in _TYPES:
        yield Answer(name or "the answer", _TYPES[annotation])
    elif issubclass(annotation, enum.Enum):
        # Flask writes those that are texts or numbers, too, and as their values.
        if not issubclass(annotation, str | int):
            yield Answer(name or "the answer", "Enum")
    elif annotation not in seen:
        seen.add(annotation)
        for field, inner in _fields(annotation):
            yield from _walk(inner, f"{annotation.__name__}.{field}", seen)


def _is_serialized(metadata: Iterable[object]) -> bool:
    """Whether somebody has said how it is to be written."""
    return any(isinstance(each, PlainSerializer | WrapSerializer) for each in metadata)


def _fields(model: type) -> Iterator[tuple[str, Any]]:
    if issubclass(model, BaseModel):
        decorators = model.__pydantic_decorators__
        said = {name for each in decorators.field_serializers.values() for name in each.info.fields}
        if decorators.model_serializers or "*" in said:
            return
        encoded = model.model_config.get("json_encoders") or {}
        for name, field in model.model_fields.items():
            if name not in said and field.annotation not in encoded and not _is_serialized(field.metadata):
                yield field.serialization_alias or field.alias or name, field.annotation
        for name, computed in model.model_computed_fields.items():
            yield computed.alias or name, computed.return_type
    elif dataclasses.is_dataclass(model) or typing.is_typeddict(model):
        try:
            yield from typing.get_type_hints(model, include_extras=True).items()
        except (NameError, TypeError):
            # A name that is imported for type checkers only.
            return


def _walk_schema(schema: object, name: str, resolve: Resolve, seen: set[str]) -> Iterator[Answer]:
    if isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str):
        if schema["$ref"] in seen:
            return
        seen.add(schema["$ref"])
        name = schema["$ref"].rpartition("/")[2]
    found = resolve(schema)
    if found.get("type") == "string" and found.get("format") in _FORMATS:
        yield Answer(name or "the answer", _FORMATS[found["format"]])
    elif found.get("type") == "number":
        yield Answer(name or "the answer", "float")
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        several = found.get(key)
        for each in several if isinstance(several, list) else ():
            yield from _walk_schema(each, name, resolve, seen)
    for key in ("items", "additionalProperties"):
        yield from _walk_schema(found.get(key), name, resolve, seen) if isinstance(found.get(key), Mapping) else ()
    properties = found.get("properties")
    title = name.partition(".")[0]
    for field, inner in properties.items() if isinstance(properties, Mapping) else ():
        yield from _walk_schema(inner, f"{title}.{field}" if title else str(field), resolve, seen)
