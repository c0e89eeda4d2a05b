"""The endpoints of an OpenAPI 3.x document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gateway.migrate.inventory.answers import answers_of_schema
from gateway.migrate.inventory.endpoint import Answer, Endpoint, Inventory, InventoryProblem, Parameter
from gateway.migrate.inventory.segments import Unroutable, build
from gateway.routing.template import Kind

DEFAULT_PATH = "/openapi.json"
_METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch", "trace", "query"))
_VARIABLE = re.compile(r"{([^{}]+)}")
_TYPES = {"integer": ("int", Kind.INT), "number": ("float", Kind.SEGMENT), "boolean": ("bool", Kind.SEGMENT)}


def document_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=DEFAULT_PATH)) if parts.path in ("", "/") else url


def origin_of(url: str) -> str:
    """The address of the app whose document is at ``url``."""
    if url.startswith("unix:"):
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def openapi_inventory(document: object, source: str) -> Inventory:
    """The inventory of a document that has been read; ``source`` is its address. Raises InventoryProblem."""
    version = document.get("openapi") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(version, str):
        raise InventoryProblem(f"{source} is not an OpenAPI 3 document")
    if not version.startswith("3."):
        raise InventoryProblem(f"{source} is OpenAPI {version}; 3.x is read")
    warnings = ["an OpenAPI document names no WebSockets, no mounts and nothing that is hidden from it"]
    prefix = _prefix(document)
    if prefix:
        warnings.append(f"the document says that its server is below {prefix}: all paths are taken to be there")
    endpoints: list[Endpoint] = []
    for path, item in _mapping(document.get("paths")).items():
        try:
            endpoints += _endpoints(prefix + path, _mapping(item), document, source)
        except Unroutable as reason:
            warnings.append(f"{path} is left out: {reason}")
    title = _mapping(document.get("info")).get("title")
    return Inventory(str(title or source), "OpenAPI", tuple(endpoints), tuple(warnings))


def _endpoints(path: str, item: Mapping[str, Any], document: Mapping[str, Any], source: str) -> Iterator[Endpoint]:
    for method, operation in item.items():
        if method not in _METHODS:
            continue
        operation = _mapping(operation)
        parameters = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
        types = dict(_types(parameters, document))
        parts = list(_parts(path, types))
        # The document does not say what the router checks: a wrong type may be a 404 or a 422.
        built = build(Parameter(each.name) if isinstance(each, Parameter) else each for each in parts)
        yield Endpoint(
            path=built.path,
            methods=frozenset({method.upper()}),
            name=str(operation.get("operationId") or ""),
            source=source,
            rule=path,
            parameters=tuple(part for part in parts if isinstance(part, Parameter)),
            notes=built.notes,
            coarse=built.coarse,
            answers=_answers(operation, document),
        )


def _answers(operation: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Of the successful ones, since errors are another matter."""
    found: list[Answer] = []
    for status, response in _mapping(operation.get("responses")).items():
        if str(status).startswith("2"):
            content = _mapping(_resolved(response, document).get("content"))
            schema = _mapping(content.get("application/json")).get("schema")
            found += answers_of_schema(_mapping(schema), lambda value: _resolved(value, document))
    return tuple(dict.fromkeys(found))


def _parts(path: str, types: Mapping[str, tuple[str, Kind]]) -> Iterator[str | Parameter]:
    for at, piece in enumerate(_VARIABLE.split(path)):
        if at % 2:
            type_name, kind = types.get(piece, ("string", Kind.SEGMENT))
            name = re.sub(r"[^A-Za-z0-9_]", "_", piece)
            yield Parameter(f"_{name}" if name[:1].isdigit() else name, type_name, kind)
        elif piece:
            yield piece


def _types(parameters: list[Any], document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, Kind]]]:
    for parameter in parameters:
        parameter = _resolved(parameter, document)
        if parameter.get("in") != "path":
            continue
        schema = _resolved(parameter.get("schema"), document)
        if "enum" in schema or "const" in schema:
            found = ("any", Kind.SEGMENT)
        elif schema.get("format") == "uuid":
            found = ("uuid", Kind.UUID)
        else:
            found = _TYPES.get(str(schema.get("type")), ("string", Kind.SEGMENT))
        yield str(parameter.get("name")), found


def _resolved(value: object, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """``value``, or what its ``$ref`` within the document stands for."""
    found = _mapping(value)
    reference = found.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return found
    at: object = document
    for step in reference[2:].split("/"):
        at = _mapping(at).get(step.replace("~1", "/").replace("~0", "~"))
    return _mapping(at)


def _prefix(document: Mapping[str, Any]) -> str:
    servers = document.get("servers")
    first = _mapping(servers[0]) if isinstance(servers, list) and servers else {}
    url = str(first.get("url") or "")
    return "" if "{" in url else urlsplit(url).path.rstrip("/")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
