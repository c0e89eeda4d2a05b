from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.migrate.inventory.openapi import openapi_inventory
from tests.migrate.lint.shop import flask_app, told


def new_app(*paths: str) -> FastAPI:
    app = FastAPI()
    for path in paths:
        app.get(path)(lambda: None)
    return app


MOVED = "  - {path: /books, to: new}\n"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (MOVED, ["HEAD is 405 in the new app: /books"]),
        ("  - {path: /books, to: {legacy: 99, new: 1}}\n", ["HEAD is 405 in the new app: /books"]),
        ("  - {path: /books, to: legacy}\n", ["note: HEAD is 405 in the new app: /books"]),
        ("  - {path: /books, methods: [GET], to: new}\n", []),
        ("  - {path: /books, to: new, compat: [head]}\n", []),
        ("  - {path: /books, to: new, fallback: {to: legacy, on: [405]}}\n", []),
        ("  - {path: /books, to: new, fallback: legacy}\n", ["HEAD is 405 in the new app: /books"]),
        ("", []),
    ],
)
def test_head(routes: str, expected: list[str]) -> None:
    assert told("SG101", flask_app("/books"), new_app("/books"), routes) == expected


def test_a_head_that_the_new_app_has() -> None:
    app = FastAPI()
    app.api_route("/books", methods=["GET", "HEAD"])(lambda: None)
    assert told("SG101", flask_app("/books"), app, MOVED) == []


def test_many_endpoints_of_a_route_are_one_finding() -> None:
    paths = [f"/books/{name}" for name in "abcde"]
    routes = '  - {path: "/books/{rest:path}", to: new}\n'
    assert told("SG101", flask_app(*paths), new_app(*paths), routes) == [
        "HEAD is 405 in the new app: /books/a, /books/b, /books/c and 2 more"
    ]


class Answers:
    """Middleware of the app's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def test_middleware_of_the_apps_own_may_answer() -> None:
    app = new_app("/books")
    app.add_middleware(Answers)
    assert told("SG101", flask_app("/books"), app, MOVED) == [
        "note: HEAD is 405 in the new app, unless Answers answers: /books"
    ]


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (MOVED, ["OPTIONS is 405 in the new app: /books"]),
        ("  - {path: /books, methods: [GET, HEAD], to: new}\n", []),
        ("  - {path: /books, to: new, compat: [options]}\n", []),
    ],
)
def test_options(routes: str, expected: list[str]) -> None:
    assert told("SG102", flask_app("/books"), new_app("/books"), routes) == expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (MOVED, ["the new app has /books, but not DELETE, POST of it: 405"]),
        ("  - {path: /books, methods: [GET, POST], to: new}\n", ["the new app has /books, but not POST of it: 405"]),
        ("  - {path: /books, methods: [GET], to: new}\n", []),
        ("  - {path: /books, to: new}\n  - {path: /books, methods: [POST, DELETE], to: legacy}\n", []),
        ("  - {path: /books, to: new, fallback: {to: legacy, on: [405, 503]}}\n", []),
    ],
)
def test_a_missing_method(routes: str, expected: list[str]) -> None:
    old = flask_app("/books", methods=("GET", "POST", "DELETE"))
    assert told("SG103", old, new_app("/books"), routes) == expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ('  - {path: "/{rest:path}", to: new}\n', ["the new app does not have /login, /me: 404"]),
        ('  - {path: "/{rest:path}", to: legacy}\n', ["note: the new app does not have /login, /me: 404"]),
        # Not even a part of it could move.
        ("  - {path: /login, to: legacy}\n", []),
        ('  - {path: "/{rest:path}", to: new, fallback: {to: legacy, on: [404]}}\n', []),
        (
            '  - {path: "/{rest:path}", to: new}\n  - {path: /me, to: legacy}\n',
            ["the new app does not have /login: 404"],
        ),
        (MOVED, []),
    ],
)
def test_a_missing_endpoint(routes: str, expected: list[str]) -> None:
    assert told("SG104", flask_app("/books", "/login", "/me"), new_app("/books"), routes) == expected


def test_the_end_of_a_migration_is_looked_at_too() -> None:
    head = 'version: 1\nbackends: {legacy: {app: "old:app"}, new: {app: "new:app"}}\ndefault: new\n'
    assert told("SG104", flask_app("/books", "/login"), new_app("/books"), "", head) == [
        "the new app does not have /login: 404"
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            '"/books/{id}"',
            [
                "note: a bad value in the path is 404 in the old app for every method, and 405 in the new one for "
                "those that it does not have: /books/<int:id>"
            ],
        ),
        ('"/books/{id:int}"', []),
        ('"/books/{id}", methods: [GET]', []),
    ],
)
def test_405_for_404(path: str, expected: list[str]) -> None:
    app = FastAPI()

    @app.get("/books/{id}")
    def book(id: int) -> None: ...  # noqa: A002

    assert told("SG105", flask_app("/books/<int:id>"), app, f"  - {{path: {path}, to: new}}\n") == expected


@pytest.mark.parametrize(
    ("new", "routes", "expected"),
    [
        (
            new_app("/u/{name}"),
            '  - {path: "/u/{name}", to: new}\n',
            ["the new app answers /u/me with a view for other paths"],
        ),
        (
            new_app("/u/{name}"),
            '  - {path: "/u/{name}", to: legacy}\n',
            ["note: the new app answers /u/me with a view for other paths"],
        ),
        (new_app("/u/{name}"), '  - {path: "/u/{name}", to: new}\n  - {path: /u/me, to: legacy}\n', []),
        (new_app("/u/me", "/u/{name}"), '  - {path: "/u/{name}", to: new}\n', []),
        (new_app("/u/{name}"), '  - {path: "/u/{name}", methods: [PUT], to: new}\n', []),
    ],
)
def test_another_view(new: FastAPI, routes: str, expected: list[str]) -> None:
    assert told("SG106", flask_app("/u/me", "/u/<name>"), new, routes) == expected


def test_an_openapi_document_stands_in() -> None:
    document = openapi_inventory(new_app("/books").openapi(), "http://127.0.0.1/openapi.json")
    assert told("SG101", flask_app("/books"), document, MOVED) == ["HEAD is 405 in the new app: /books"]
    assert told("SG103", flask_app("/books", methods=("GET", "PUT")), document, MOVED) == [
        "the new app has /books, but not PUT of it: 405"
    ]


def test_what_a_more_specific_endpoint_answers_is_not_met() -> None:
    # /u/me is another endpoint of the old app, and the only one that the route is for; but it has no POST.
    old = flask_app("/u/<name>", methods=("GET", "POST"))
    old.add_url_rule("/u/me", "me", lambda: "")
    routes = "  - {path: /u/me, to: new}\n"
    assert told("SG103", old, new_app("/u/me", "/u/{name}"), routes) == [
        "the new app has /u/<name>, but not POST of it: 405"
    ]
    assert told("SG101", old, new_app("/u/me", "/u/{name}"), routes) == ["HEAD is 405 in the new app: /u/me"]
