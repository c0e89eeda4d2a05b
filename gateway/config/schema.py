"""The JSON Schema of routes.yaml, by which editors complete, explain on hover and underline mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from gateway.config.model import Config

# The copy in the repository, which the sample routes.yaml names. A test keeps it current.
COPY: Final = Path(__file__).with_name("routes.schema.json")

# A line of a docstring that ends only because the line was full.
_WRAPPED: Final = re.compile(r"(?<!\n)\n(?!\n)")
_TITLES: Final = {
    "BackendConfig": "Backend",
    "Tls": "TLS",
    "HealthCheck": "Health check",
    "RouteConfig": "Route",
    "StickyCookie": "Sticky cookie",
}


def routes_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    schema = Config.model_json_schema(schema_generator=_ForEditors)
    for name, section in schema["$defs"].items():
        section["title"] = _TITLES.get(name, name)
    # Rules between keys of one section that a schema can tell; the others are for `gateway check`.
    schema["$defs"]["BackendConfig"]["oneOf"] = [{"required": [key]} for key in ("app", "url", "urls")]
    schema["$defs"]["Override"]["anyOf"] = [{"required": [key]} for key in ("allow", "secret")]
    # In the file the secret is usually a reference, `${VAR}`, which may be shorter than what it stands for.
    del schema["$defs"]["Override"]["properties"]["secret"]["minLength"]
    _tidy(schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "routes.yaml"}


def schema_text() -> str:
    """The schema as it is printed and kept in the repository."""
    return json.dumps(routes_schema(), indent=2, ensure_ascii=False) + "\n"


class _ForEditors(GenerateJsonSchema):
    """As pydantic makes it, less what a file cannot have and an editor would still offer."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # In a file, a key that is not wanted is left out: `null` is refused.
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        # Where names must have a pattern, any other name is a mistake, and not merely unknown to the schema.
        if "patternProperties" in made:
            made["additionalProperties"] = False
        return made


def _tidy(node: Any) -> None:
    """Take out what is not worth an editor's hover, in ``node`` and all schemas inside it."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    # That a section is left out by default is no news, and neither is a pattern that only repeats the enum.
    if isinstance(node.get("default"), dict | list | None):
        node.pop("default", None)
    if "enum" in node:
        node.pop("pattern", None)
    if "description" in node:
        node["description"] = _WRAPPED.sub(" ", node["description"])
    for keyword, inner in node.items():
        # Here the keys are names, one of which is `default`.
        named = keyword in ("$defs", "properties", "patternProperties")
        _tidy(list(inner.values()) if named else inner)
