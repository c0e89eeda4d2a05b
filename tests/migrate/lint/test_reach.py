from __future__ import annotations

import pytest
from fastapi import FastAPI

from tests.migrate.lint.shop import flask_app, told


def new_app() -> FastAPI:
    app = FastAPI()
    app.get("/new")(lambda: None)
    return app


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("path: /bok", ["neither app has /bok"]),
        ("path: /books", []),
        ("path: /new", []),
        # What Flask redirects is not nothing.
        ("path: /list", []),
        ("path: /books, methods: [PATCH]", ["neither app has PATCH of /books"]),
        ("path: /books, methods: [PATCH, GET]", []),
        ('path: "/{rest:path}"', []),
        ("path: /books/7", ["neither app has /books/7"]),
    ],
)
def test_nothing_is_matched(route: str, expected: list[str]) -> None:
    assert told("SG701", flask_app("/books", "/list/"), new_app(), f"  - {{{route}, to: new}}\n") == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ('  - {path: "/u/{id:int}", to: new}\n', ["more specific routes take all that it matches: /u/{id:int}"]),
        ('  - {path: "/u/{id:int}", methods: [GET], to: new}\n', []),
        ('  - {path: "/u/{id:int}", headers: {X-Beta: true}, to: new}\n', []),
        ("  - {path: /u/7, to: new}\n", []),
        ("", []),
    ],
)
def test_a_shadow(other: str, expected: list[str]) -> None:
    routes = '  - {path: "/u/{name}", to: legacy}\n' + other
    assert told("SG702", flask_app("/u/<int:id>"), FastAPI(), routes) == expected
