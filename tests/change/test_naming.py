from __future__ import annotations

import pytest

from gateway.change.change import ChangeError
from gateway.change.naming import find_route
from tests.change.shop import shop

CONFIG = shop().config


def named(text: str) -> str:
    return CONFIG.routes[find_route(CONFIG, text)].label


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(ChangeError) as error:
        find_route(CONFIG, text)
    return error.value.kind, str(error.value)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("GET,HEAD /books/{id:int}", "GET,HEAD /books/{id:int}"),
        ("HEAD,GET /books/{id:int}", "GET,HEAD /books/{id:int}"),
        ("GET /books/{id:int}", "GET,HEAD /books/{id:int}"),
        ("get   /books/{id:int}", "GET,HEAD /books/{id:int}"),
        ("/books/{id:int}", "GET,HEAD /books/{id:int}"),
        ("/search", "/search"),
        ("DELETE /search", "/search"),
        ("first-partner", "first-partner"),
        ("GET /items header:x-partner=penguin", "first-partner"),
        ("GET /items", "GET /items"),
        ("POST /items", "POST /items"),
    ],
)
def test_a_route_is_found_by_all_that_people_call_it(text: str, label: str) -> None:
    assert named(text) == label


def test_a_path_of_several_routes_is_not_enough() -> None:
    assert refused("/items") == (
        "ambiguous-route",
        "'/items' can be 'GET /items', 'POST /items' or 'first-partner': give the whole name",
    )


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("first-partnr", "did you mean 'first-partner'? `gateway routes` lists all"),
        ("GET /bookz", "did you mean 'GET /books'? `gateway routes` lists all"),
        ("/serch", "did you mean '/search'? `gateway routes` lists all"),
        ("/books/7", "requests for it are taken by 'GET,HEAD /books/{id:int}'"),
        ("GET /books/7", "requests for it are taken by 'GET,HEAD /books/{id:int}'"),
        ("/chat/room", "it goes to legacy as everything without a route does: add '- path: /chat/room' first"),
        ("zzz", "`gateway routes` lists all"),
    ],
)
def test_what_was_probably_meant_is_said(text: str, rest: str) -> None:
    kind, message = refused(text)
    assert kind == "unknown-route"
    assert message == f"no route is called '{text}'; {rest}"


@pytest.mark.parametrize("text", ["", " ", "/%zz", "/a/../b", "/\ud800", "GET", "x" * 10_000, "{", "/{"])
def test_nonsense_is_an_unknown_route(text: str) -> None:
    assert refused(text)[0] == "unknown-route"
