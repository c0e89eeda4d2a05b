"""The sample routes.yaml says what it seems to say, and sends nothing to an app that does not have it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config.loader import load_file
from gateway.config.model import RouteConfig
from gateway.config.rule_of import rule_of
from gateway.routing.table import Table
from new_fastapi import create_app
from tests.new_fastapi.conftest import new_settings

SAMPLE = Path(__file__).resolve().parents[2] / "routes.yaml"


@pytest.fixture
def routes() -> tuple[RouteConfig, ...]:
    return load_file(SAMPLE, {}).config.routes


def test_the_new_app_has_all_that_is_sent_to_it(routes: tuple[RouteConfig, ...]) -> None:
    openapi = create_app(new_settings(Path("none"))).openapi()
    has = {re.sub(r"{\w+}", "{id}", path): set(map(str.upper, methods)) for path, methods in openapi["paths"].items()}
    has |= {path: {"GET"} for path in ("/docs", "/redoc", "/openapi.json", "/chat", "/ws/chat")}
    sent = [route for route in routes if "new" in dict(route.weights)]
    assert len(sent) > 10
    for route in sent:
        assert set(route.methods or ()) - {"HEAD"} <= has[route.path.replace(":int", "")]


@pytest.mark.parametrize(
    ("method", "path", "headers", "to"),
    [
        ("GET", "/books/1", {}, "new"),
        ("HEAD", "/books/1", {}, "new"),
        ("PUT", "/books/1", {}, None),
        ("GET", "/books/x", {}, None),
        ("GET", "/books", {}, {"legacy": 90, "new": 10}),
        ("POST", "/books", {}, None),
        ("GET", "/products/search", {}, {"legacy": 90, "new": 10}),
        ("GET", "/items", {}, {"legacy": 50, "new": 50}),
        ("GET", "/items", {"x-partner": "penguin"}, "new"),
        ("POST", "/users", {}, "new"),
        ("GET", "/", {}, None),
        ("POST", "/login", {}, None),
        ("GET", "/catalogue/new", {}, "legacy"),
        ("GET", "/reports/sales.csv", {}, "legacy"),
        ("GET", "/ws/chat", {}, "new"),
    ],
)
def test_who_answers(
    routes: tuple[RouteConfig, ...], method: str, path: str, headers: dict[str, str], to: object
) -> None:
    table = Table([(rule_of(route), route) for route in routes])
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    route = table.match(method, path, raw, b"")
    assert (route.to if route else None) == to


def test_one_user_gets_the_list_and_the_search_from_one_app(routes: tuple[RouteConfig, ...]) -> None:
    canary = [route for route in routes if route.group == "catalogue"]
    assert {route.path for route in canary} == {"/books", "/products/search"}
    assert len({route.weights for route in canary}) == 1
