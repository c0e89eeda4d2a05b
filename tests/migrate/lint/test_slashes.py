from __future__ import annotations

import pytest
from fastapi import FastAPI

from tests.migrate.lint.shop import flask_app, told


def new_app(path: str, *, redirects: bool = True) -> FastAPI:
    app = FastAPI(redirect_slashes=redirects)
    app.get(path)(lambda: None)
    return app


def route(path: str) -> str:
    return f'  - {{path: "{path}", to: new}}\n'


@pytest.mark.parametrize(
    ("old", "strict", "new", "routes", "expected"),
    [
        # Answered by the old app without a slash, redirected by the new one to the path with it.
        (
            "/books",
            True,
            "/books/",
            route("/books"),
            ["the new app redirects to the path with the other slash: /books"],
        ),
        ("/books", True, "/books", route("/books"), []),
        # Both forms are answered by the old app, and one by the new.
        (
            "/books/",
            False,
            "/books",
            route("/books/"),
            ["the new app redirects to the path with the other slash: /books/"],
        ),
        # Loops: SG202 says it.
        ("/books/", True, "/books", route("/books/"), []),
    ],
)
def test_the_path_with_another_slash(old: str, strict: bool, new: str, routes: str, expected: list[str]) -> None:
    assert told("SG201", flask_app(old, strict_slashes=strict), new_app(new), routes) == expected


def test_without_redirects_it_is_missing() -> None:
    app = new_app("/books/", redirects=False)
    assert told("SG201", flask_app("/books"), app, route("/books")) == []
    assert told("SG104", flask_app("/books"), app, route("/books")) == ["the new app does not have /books: 404"]
    assert told("SG104", flask_app("/books"), new_app("/books/"), route("/books")) == []


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (route("/books/"), ["the two apps redirect to each other: /books/"]),
        # The other form goes to the new app, too, which has it.
        (route("/books/") + route("/books"), []),
        (
            route("/books/") + '  - {path: "/books", to: {legacy: 50, new: 50}}\n',
            ["the two apps redirect to each other: /books/"],
        ),
    ],
)
def test_a_loop(routes: str, expected: list[str]) -> None:
    assert told("SG202", flask_app("/books/"), new_app("/books"), routes) == expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            '  - {path: "/{rest:path}", to: new}\n',
            ["note: the other slash at the end is redirected in another way: /books/"],
        ),
        ('  - {path: "/{rest:path}", to: new, compat: [slashes]}\n', []),
        (route("/books/"), []),
    ],
)
def test_other_redirects(routes: str, expected: list[str]) -> None:
    assert told("SG203", flask_app("/books/"), new_app("/books/"), routes) == expected
