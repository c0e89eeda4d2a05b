from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from gateway.migrate.inventory.endpoint import InventoryProblem
from gateway.migrate.inventory.fetch import fetch_inventory
from tests.answering import QuietHandler, answering


def app() -> FastAPI:
    made = FastAPI()
    made.add_api_route("/books/{book_id}", lambda: None)
    made.add_api_route("/books/{book_id}", lambda: None, methods=["PUT"])
    return made


class _Handler(QuietHandler):
    def do_GET(self) -> None:
        known = {"/openapi.json": json.dumps(app().openapi()), "/moved/doc.json": '{"openapi": "3.1.0"}', "/page": "<"}
        body = known.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write((body or "").encode())


@pytest.fixture
def url() -> Iterator[str]:
    with answering(_Handler) as url:
        yield url


def test_a_document_over_http(url: str) -> None:
    assert [each.path for each in fetch_inventory(url).endpoints] == ["/books/{book_id}"] * 2
    assert fetch_inventory(f"{url}/moved/doc.json").endpoints == ()


def test_what_can_be_wrong_with_it(url: str) -> None:
    with pytest.raises(InventoryProblem, match="/none answers 404: it has no OpenAPI document"):
        fetch_inventory(f"{url}/none")
    with pytest.raises(InventoryProblem, match="/page is not JSON"):
        fetch_inventory(f"{url}/page")
    with pytest.raises(InventoryProblem, match="cannot be read: "):
        fetch_inventory("http://127.0.0.1:9")
