from __future__ import annotations

import pytest
from fastapi import FastAPI

from tests.migrate.lint.shop import HEAD, flask_app, told


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


@pytest.mark.parametrize(
    ("default", "to", "expected"),
    [
        ("new", "new", ["compat: [head], and 'new' is the default"]),
        # Rolled back: it waits for the next time.
        ("new", "legacy", []),
        ("legacy", "new", []),
    ],
)
def test_compat_of_the_default(default: str, to: str, expected: list[str]) -> None:
    head = HEAD.replace("default: legacy", f"default: {default}")
    routes = f"  - {{path: /new, compat: [head], to: {to}}}\n"
    assert told("SG703", None, None, routes, head) == expected
    # So it helps nobody, and the finding that it was against is back.
    found = told("SG101", flask_app("/new"), new_app(), routes, head)
    assert any(not each.startswith("note") for each in found) == bool(expected)
