from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.model import RouteConfig


def route(**data: Any) -> RouteConfig:
    return RouteConfig.model_validate({"path": "/books", "to": "new", **data})


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ({}, "/books"),
        ({"name": "the books"}, "the books"),
        ({"methods": ["GET"]}, "GET /books"),
        ({"methods": ["POST", "HEAD", "GET"]}, "GET,HEAD,POST /books"),
        ({"host": "a.example"}, "/books host=a.example"),
        ({"headers": {"X-B": "2", "X-A": True}}, "/books header:x-a header:x-b=2"),
        ({"query": {"v": "2"}}, "/books query:v=2"),
    ],
)
def test_a_route_is_known_by_its_name_or_by_what_it_matches(data: dict[str, Any], label: str) -> None:
    assert route(**data).label == label


def test_how_the_methods_are_listed_moves_no_user() -> None:
    assert route(methods=["GET", "HEAD"]).salt == route(methods=["HEAD", "GET"]).salt


def test_a_group_and_a_route_of_one_name_are_different_draws() -> None:
    assert route(group="x").salt != route(name="x").salt


def test_weights_are_hundredths_of_a_percent() -> None:
    assert route().weights == (("new", 10_000),)
    assert route(to={"legacy": 66.67, "new": 33.33}).weights == (("legacy", 6667), ("new", 3333))


def test_a_checked_route_cannot_be_changed() -> None:
    made = route()
    with pytest.raises(ValidationError):
        made.to = "legacy"  # type: ignore[misc]
