from __future__ import annotations

import pytest
from fastapi import FastAPI, WebSocket
from flask import Flask
from werkzeug.routing import Rule

from gateway.migrate.inventory.compare import Compared, Comparison, compare, shared_path
from gateway.migrate.inventory.endpoint import Endpoint, Inventory, Parameter
from gateway.migrate.inventory.reader import inventory_of
from gateway.routing.template import Kind
from tests.migrate.inventory.methods import methods


def flask(*rules: str) -> Inventory:
    app = Flask("old", static_folder=None)
    for number, written in enumerate(rules):
        names, rule = written.split()
        app.add_url_rule(rule, f"v{number}", lambda **values: "", methods=names.split(","))
    return inventory_of(app, "old")


def fastapi(*routes: str) -> Inventory:
    app = FastAPI(openapi_url=None)
    for written in routes:
        names, path = written.split()
        app.add_api_route(path, lambda: None, methods=names.split(","))
    return inventory_of(app, "new")


def only(comparison: Comparison) -> Compared:
    [compared] = comparison.legacy
    return compared


@pytest.mark.parametrize(
    ("old", "new", "there"),
    [
        ("/b/<int:n>", "/b/{other}", True),
        ("/b/<n>", "/b/{n:int}", True),
        ("/b/<path:p>", "/b/{q:path}", True),
        ("/b/<uuid:u>", "/b/{u:uuid}", True),
        ("/b/<float:x>", "/b/{x:float}", True),
        ("/b/<int:n>", "/b/{n:uuid}", False),
        ("/b/<float:x>", "/b/{x:int}", False),
        ("/b/v<int:n>", "/b/{n:int}", False),
        ("/b/<n>", "/b/{n:path}", False),
        ("/b/<n>", "/c/{n}", False),
        ("/b", "/b/", False),
        ("/b/<a>/c", "/b/{a}", False),
    ],
)
def test_one_shape_is_one_endpoint(old: str, new: str, there: bool) -> None:
    assert only(compare(flask(f"GET {old}"), fastapi(f"GET {new}"))).on_both_sides is there


def test_method_by_method() -> None:
    compared = only(compare(flask("GET,POST,PUT /b"), fastapi("GET /b", "PUT /b")))
    assert (compared.methods, compared.missing) == (methods("GET HEAD PUT"), methods("POST"))
    assert [each.methods for each in compared.counterparts] == [methods("GET"), methods("PUT")]


def test_a_view_that_answers_options_itself_has_to_be_on_both_sides() -> None:
    compared = only(compare(flask("GET,OPTIONS /b"), fastapi("GET /b")))
    assert compared.missing == methods("OPTIONS")


def test_every_method() -> None:
    app = Flask("old", static_folder=None)
    app.url_map.add(Rule("/any", endpoint="any"))
    old = inventory_of(app, "old")
    some = only(compare(old, fastapi("GET,POST /any")))
    assert (some.methods, some.on_both_sides) == (methods("GET POST"), True)
    opaque = Inventory("new", "Starlette", (Endpoint("/any", frozenset(), kind="mount"),))
    every = only(compare(old, opaque))
    assert (every.methods, every.on_both_sides) == (frozenset(), True)
    assert only(compare(flask("GET /any"), opaque)).methods == methods("GET HEAD")


def test_where_the_new_side_takes_less() -> None:
    narrowed = only(compare(flask("GET /b/<name>"), fastapi("GET /b/{n:int}"))).narrowed
    assert [(each.name, each.legacy, each.new, each.kind) for each in narrowed] == [("name", "string", "int", Kind.INT)]
    assert shared_path("/b/{name}/{x}", narrowed) == "/b/{name:int}/{x}"
    # A number with a point in it is text to the gateway.
    floats = only(compare(flask("GET /b/<name>"), fastapi("GET /b/{n:float}"))).narrowed
    assert [each.kind for each in floats] == [Kind.SEGMENT]
    assert shared_path("/b/{name}", floats) == "/b/{name}"


def test_the_counterpart_of_one_is_not_the_narrower_counterpart_of_another() -> None:
    number, name = compare(flask("GET /b/<int:n>", "GET /b/<name>"), fastapi("GET /b/{n:int}")).legacy
    assert (number.on_both_sides, name.on_both_sides) == (True, False)
    assert name.missing == methods("GET")


def test_what_takes_as_much_goes_first() -> None:
    compared = only(compare(flask("GET /b/<name>"), fastapi("GET /b/{n:int}", "GET /b/{n}")))
    assert [each.endpoint.path for each in compared.counterparts] == ["/b/{n}"]


def test_websockets_are_no_pages() -> None:
    app = FastAPI(openapi_url=None)

    @app.websocket("/chat")
    async def chat(websocket: WebSocket) -> None: ...

    new = inventory_of(app, "new")
    assert not only(compare(flask("GET /chat"), new)).on_both_sides
    old = Flask("old", static_folder=None)
    old.url_map.add(Rule("/chat", endpoint="chat", websocket=True))
    assert only(compare(inventory_of(old, "old"), new)).on_both_sides


def test_hosts_have_to_fit() -> None:
    old = Inventory("old", "Flask", (Endpoint("/b", methods("GET"), host="a.example.com"),))
    anywhere = Inventory("new", "FastAPI", (Endpoint("/b", methods("GET")),))
    elsewhere = Inventory("new", "FastAPI", (Endpoint("/b", methods("GET"), host="b.example.com"),))
    assert only(compare(old, anywhere)).on_both_sides
    assert only(compare(old, old)).on_both_sides
    assert not only(compare(old, elsewhere)).on_both_sides
    assert not only(compare(anywhere, elsewhere)).on_both_sides


def test_a_second_path_of_the_new_endpoint() -> None:
    new = Inventory("new", "Flask", (Endpoint("/b/", methods("GET"), also=("/b",)),))
    assert only(compare(flask("GET /b"), new)).on_both_sides


def test_what_only_the_new_side_has() -> None:
    comparison = compare(flask("GET /b"), fastapi("GET,POST,HEAD /b", "GET /c", "GET /b"))
    # The second GET /b is never reached.
    assert [(each.endpoint.path, each.methods) for each in comparison.only_new] == [
        ("/b", methods("POST")),
        ("/c", methods("GET")),
    ]


def test_without_a_new_app() -> None:
    comparison = compare(flask("GET /b"), None)
    assert (only(comparison).on_both_sides, comparison.only_new) == (False, ())


def test_the_type_in_a_signature_counts() -> None:
    endpoint = Endpoint("/b/{n}", methods("GET"), parameters=(Parameter("n", "int", Kind.INT),))
    compared = only(compare(flask("GET /b/<name>"), Inventory("new", "FastAPI", (endpoint,))))
    assert [each.kind for each in compared.narrowed] == [Kind.INT]
