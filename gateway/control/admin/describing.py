"""The API described: as an OpenAPI document for programs, and as a page for people.

The page is made here. FastAPI's own loads its scripts from another site, and no page of ours does that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from gateway.control.admin.problem import MEDIA_TYPE
from gateway.control.dashboard.page import page

_DESCRIPTION = (
    "What the dashboard and the command line do, for programs. Errors are problem documents (RFC 9457). Where the "
    "listener has tokens, send one as `Authorization: Bearer TOKEN`; reading and changing are separate rights."
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """``takes`` is the schema of the body, "" without one; ``answers`` are status, schema and meaning."""

    method: str
    path: str
    text: str
    parameters: tuple[Field, ...]
    takes: str
    answers: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    name: str
    text: str
    fields: tuple[Field, ...]


def describe(app: FastAPI) -> None:
    """Let ``app`` describe itself, at /api/openapi.json and on /docs. Call it when all routes are there."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
            app.openapi_schema = _with_tokens(_with_problems(made))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        described = document()
        return page(
            "docs.html",
            page="docs",
            description=described["info"]["description"],
            operations=list(operations(described)),
            schemas=list(schemas(described)),
        )

    app.include_router(router)


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            body = each.get("requestBody", {}).get("content", {})
            yield Operation(
                method=method.upper(),
                path=path,
                text=each.get("description", each["summary"]),
                parameters=tuple(
                    Field(one["name"], _type(one["schema"]), one.get("description", ""))
                    for one in each.get("parameters", ())
                ),
                takes=_types(body),
                answers=tuple(
                    Field(status, _types(one.get("content", {})), one["description"])
                    for status, one in each["responses"].items()
                ),
            )


def schemas(document: Mapping[str, Any]) -> Iterator[Schema]:
    for name, each in document["components"]["schemas"].items():
        fields = (Field(key, _type(one), one.get("description", "")) for key, one in each.get("properties", {}).items())
        yield Schema(name, each.get("description", ""), tuple(fields))


def _types(content: Mapping[str, Any]) -> str:
    return " or ".join(_type(each["schema"]) for each in content.values() if "schema" in each)


def _type(schema: Mapping[str, Any]) -> str:
    """Such as ``list of Share`` or ``number or null``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"{_type(schema['additionalProperties'])} by name"
    return str(schema.get("type", ""))


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Give problem documents their media type: FastAPI gives every answer that of the operation's."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                for media_type in list(content):
                    if content[media_type].get("schema", {}).get("$ref", "").endswith("/Problem"):
                        content[MEDIA_TYPE] = content.pop(media_type)
    return document


def _with_tokens(document: dict[str, Any]) -> dict[str, Any]:
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    # Either: on this machine there may be no tokens.
    document["security"] = [{"token": []}, {}]
    return document
