from __future__ import annotations

import enum
import uuid
from pathlib import Path
from typing import Annotated, Literal

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from flask import Flask
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.inventory.reader import inventory_of
from gateway.routing.template import Kind
from tests.migrate.inventory.methods import methods


async def answer(request: Request) -> Response:
    return Response()


async def opaque(scope: Scope, receive: Receive, send: Send) -> None: ...


class Bridge:
    """As a2wsgi and asgiref have one, which serves a WSGI app as an ASGI app."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def bare() -> FastAPI:
    return FastAPI(openapi_url=None)


def only(app: object) -> Endpoint:
    [endpoint] = inventory_of(app, "x").endpoints
    return endpoint


def paths(app: object) -> list[str]:
    return [endpoint.path for endpoint in inventory_of(app, "x").endpoints]


@pytest.mark.parametrize(
    ("path", "template", "kind", "also"),
    [
        ("/b/{x}", "/b/{x}", Kind.SEGMENT, ()),
        ("/b/{x:str}", "/b/{x}", Kind.SEGMENT, ()),
        ("/b/{x:int}", "/b/{x:int}", Kind.INT, ()),
        ("/b/{x:uuid}", "/b/{x:uuid}", Kind.UUID, ()),
        ("/b/{x:float}", "/b/{x}", Kind.SEGMENT, ()),
        # Starlette's path may be empty, the gateway's rest is not.
        ("/b/{x:path}", "/b/{x:path}", Kind.REST, ("/b/",)),
        ("/b/{x:path}/meta", "/b/{x:path}", Kind.REST, ()),
        ("/b/{x}.json", "/b/{x_json}", Kind.SEGMENT, ()),
    ],
)
def test_path_types(path: str, template: str, kind: Kind, also: tuple[str, ...]) -> None:
    endpoint = only(Starlette(routes=[Route(path, answer)]))
    assert (endpoint.path, endpoint.parameters[0].kind, endpoint.also) == (template, kind, also)


def test_a_convertor_of_the_app() -> None:
    class Hex(Convertor[str]):
        regex = "[0-9a-f]+"

    register_url_convertor("inventoryhex", Hex())
    endpoint = only(Starlette(routes=[Route("/c/{x:inventoryhex}", answer)]))
    assert (endpoint.path, endpoint.parameters[0].type) == ("/c/{x}", "inventoryhex")
    assert endpoint.notes == ("x is wider here: it is of the type inventoryhex",)


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("annotation", "type_name", "kind"),
    [
        (int, "int", Kind.INT),
        (uuid.UUID, "uuid", Kind.UUID),
        (float, "float", Kind.SEGMENT),
        (str, "string", Kind.SEGMENT),
        (Colour, "any", Kind.SEGMENT),
        (Literal["a", "b"], "any", Kind.SEGMENT),
    ],
)
def test_types_of_a_function_are_not_the_router_s(annotation: object, type_name: str, kind: Kind) -> None:
    app = bare()

    def view(x: object) -> None: ...

    view.__annotations__["x"] = annotation
    app.get("/b/{x}")(view)
    endpoint = only(app)
    assert (endpoint.path, endpoint.parameters[0].type, endpoint.parameters[0].kind) == ("/b/{x}", type_name, kind)


def find(book_id: int) -> int:
    return book_id


def test_the_type_that_a_dependency_declares() -> None:
    app = bare()

    @app.get("/books/{book_id}")
    def read(book: Annotated[int, Depends(find)]) -> None: ...

    assert only(app).parameters[0].type == "int"


def test_methods() -> None:
    app = bare()

    @app.api_route("/a", methods=["GET", "POST"])
    def a() -> None: ...

    app.add_route("/b", answer)
    first, second = inventory_of(app, "x").endpoints
    # FastAPI's routes answer HEAD with 405, Starlette's with their GET.
    assert (first.methods, first.automatic) == (methods("GET POST"), methods(""))
    assert (second.methods, second.automatic) == (methods("GET HEAD"), methods("HEAD"))


def test_class_based_endpoints() -> None:
    class Book(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return Response()

        async def delete(self, request: Request) -> Response:
            return Response()

    assert only(Starlette(routes=[Route("/b", Book)])).methods == methods("GET HEAD DELETE")


def test_routers_prefixes_and_what_is_hidden() -> None:
    inner = APIRouter(prefix="/reviews")

    @inner.get("/{review_id}", include_in_schema=False)
    def read(book_id: int, review_id: int) -> None: ...

    @inner.websocket("/live")
    async def live(websocket: WebSocket) -> None: ...

    outer = APIRouter(prefix="/books/{book_id}")
    outer.include_router(inner)
    app = bare()
    app.include_router(outer, prefix="/api")
    page, socket = inventory_of(app, "x").endpoints
    assert (page.path, page.name, page.hidden) == ("/api/books/{book_id}/reviews/{review_id}", "read", True)
    assert [(each.name, each.type) for each in page.parameters] == [("book_id", "int"), ("review_id", "int")]
    assert (socket.path, socket.kind, socket.methods) == (
        "/api/books/{book_id}/reviews/live",
        "websocket",
        methods("GET"),
    )
    assert page.source.endswith("<locals>.read")


def test_the_same_router_under_two_prefixes() -> None:
    router = APIRouter()
    router.add_api_route("/x", lambda: None)
    app = bare()
    app.include_router(router, prefix="/v1")
    app.include_router(router, prefix="/v2")
    assert paths(app) == ["/v1/x", "/v2/x"]


def test_the_pages_of_fastapi_itself() -> None:
    assert [(each.path, each.hidden) for each in inventory_of(FastAPI(), "x").endpoints] == [
        ("/openapi.json", True),
        ("/docs", True),
        ("/docs/oauth2-redirect", True),
        ("/redoc", True),
    ]


def test_mounts_and_apps_below_them(tmp_path: Path) -> None:
    api = bare()
    api.add_api_route("/", lambda: None)
    api.add_api_route("/books/{x:int}", lambda: None)
    app = Starlette(
        routes=[
            Mount("/api/{tenant}", api),
            Mount("/static", StaticFiles(directory=tmp_path), name="files"),
            Mount("/other", opaque),
            Mount("/routes/", routes=[Route("/x", answer), WebSocketRoute("/ws", answer)]),
            Mount("/cors", CORSMiddleware(Router([Route("/y", answer)]))),
        ]
    )
    found = inventory_of(app, "x").endpoints
    assert [(each.path, each.kind) for each in found] == [
        ("/api/{tenant}/", "http"),
        ("/api/{tenant}/books/{x:int}", "http"),
        ("/static/{path:path}", "static"),
        ("/other/{path:path}", "mount"),
        ("/routes/x", "http"),
        ("/routes/ws", "websocket"),
        ("/cors/y", "http"),
    ]
    assert [each.name for each in found[1].parameters] == ["tenant", "x"]
    assert (found[2].methods, found[2].also, found[2].name) == (methods("GET HEAD"), ("/static/",), "files")
    assert found[3].methods == frozenset()


def test_a_mount_in_an_included_router() -> None:
    router = APIRouter()
    router.mount("/sub", Starlette(routes=[Route("/x", answer)]))
    app = bare()
    app.include_router(router, prefix="/api")
    assert paths(app) == ["/api/sub/x"]


def test_a_flask_app_that_is_mounted() -> None:
    flask = Flask("old", static_folder=None)
    flask.add_url_rule("/books/<int:book_id>", "book", lambda book_id: "")
    flask.add_url_rule("/lists/", "lists", lambda: "")
    app = bare()
    app.mount("/old", Bridge(flask))
    book, lists = inventory_of(app, "x").endpoints
    assert (book.path, book.rule) == ("/old/books/{book_id:int}", "/old/books/<int:book_id>")
    assert lists.redirected == ("/old/lists",)


def test_hosts() -> None:
    inside = Router([Route("/x", answer)])
    app = Starlette(
        routes=[
            Host("API.example.com:8000", inside),
            Host("{tenant}.example.com", inside),
            Host("opaque.example.com", opaque),
            Route("/y", answer),
        ]
    )
    assert [(each.host, each.path, each.kind) for each in inventory_of(app, "x").endpoints] == [
        ("api.example.com", "/x", "http"),
        ("*.example.com", "/x", "http"),
        ("opaque.example.com", "/{path:path}", "mount"),
        (None, "/y", "http"),
    ]


def test_what_no_request_can_ask_for_is_left_out() -> None:
    inventory = inventory_of(Starlette(routes=[Route("/a/../b", answer), Route("/c", answer)]), "x")
    assert [each.path for each in inventory.endpoints] == ["/c"]
    assert inventory.warnings == ("/a/../b is left out: the path has a dot segment (. or ..)",)
