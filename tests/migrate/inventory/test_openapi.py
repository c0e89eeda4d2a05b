from __future__ import annotations

import uuid

import pytest
from fastapi import FastAPI

from gateway.migrate.inventory.endpoint import InventoryProblem
from gateway.migrate.inventory.openapi import document_url, openapi_inventory, origin_of
from gateway.routing.template import Kind
from tests.migrate.inventory.methods import methods


def app() -> FastAPI:
    made = FastAPI(title="Books")

    @made.get("/books/{book_id}")
    def read(book_id: int) -> None: ...

    @made.put("/books/{book_id}")
    def replace(book_id: uuid.UUID) -> None: ...

    made.add_api_route("/hidden", lambda: None, include_in_schema=False)
    return made


def test_what_fastapi_says_of_itself() -> None:
    inventory = openapi_inventory(app().openapi(), "http://new/openapi.json")
    assert (inventory.app, inventory.framework) == ("Books", "OpenAPI")
    read, replace = inventory.endpoints
    assert (read.path, read.methods, read.rule) == ("/books/{book_id}", methods("GET"), "/books/{book_id}")
    assert (read.parameters[0].type, read.parameters[0].kind) == ("int", Kind.INT)
    assert (replace.parameters[0].type, replace.parameters[0].kind) == ("uuid", Kind.UUID)
    assert replace.name == "replace_books__book_id__put"


def test_parameters_by_reference_of_a_whole_path_and_with_odd_names() -> None:
    document = {
        "openapi": "3.1.0",
        "components": {
            "parameters": {"id": {"in": "path", "name": "book-id", "schema": {"$ref": "#/components/schemas/a~1b"}}},
            "schemas": {"a/b": {"type": "integer"}},
        },
        "paths": {
            "/books/{book-id}/{2nd}": {
                "summary": "not a method",
                "parameters": [{"$ref": "#/components/parameters/id"}],
                "get": {"parameters": [{"in": "path", "name": "2nd", "schema": {"enum": ["a", "b"]}}]},
            }
        },
    }
    [endpoint] = openapi_inventory(document, "x").endpoints
    assert endpoint.path == "/books/{book_id}/{_2nd}"
    assert [each.type for each in endpoint.parameters] == ["int", "any"]


def test_the_path_of_the_server_is_a_prefix() -> None:
    document = {"openapi": "3.0.3", "servers": [{"url": "https://x.example/v1/"}], "paths": {"/b": {"get": {}}}}
    inventory = openapi_inventory(document, "x")
    assert [each.path for each in inventory.endpoints] == ["/v1/b"]
    assert "below /v1" in inventory.warnings[1]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x is not an OpenAPI 3 document"),
        ({"paths": {}}, "x is not an OpenAPI 3 document"),
        ({"swagger": "2.0"}, "x is not an OpenAPI 3 document"),
        ({"openapi": "4.0"}, "x is OpenAPI 4.0; 3.x is read"),
    ],
)
def test_other_documents(document: object, message: str) -> None:
    with pytest.raises(InventoryProblem, match=message):
        openapi_inventory(document, "x")


@pytest.mark.parametrize(
    "document",
    [
        {"openapi": "3.1.0", "paths": None},
        {"openapi": "3.1.0", "paths": {"/a": []}, "servers": {}},
        {"openapi": "3.1.0", "paths": {"/a": {"get": None}}, "servers": [None], "info": 1},
        {"openapi": "3.1.0", "paths": {"/{a}": {"get": {"parameters": [{"$ref": "#/no/where"}, 5]}}}},
    ],
)
def test_a_document_that_is_not_quite_right(document: object) -> None:
    openapi_inventory(document, "x")


def test_addresses() -> None:
    assert document_url("http://h:1") == document_url("http://h:1/") == "http://h:1/openapi.json"
    assert document_url("http://h/x.json?a=1") == "http://h/x.json?a=1"
    assert origin_of("http://h:1/x.json") == "http://h:1"
    assert origin_of("unix:/run/new.sock") == "unix:/run/new.sock"
