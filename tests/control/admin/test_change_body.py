from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.change.change import Change, Move, RollBack, Split
from gateway.control.admin.change_body import ChangeBody


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"move": {"route": "/books", "backend": "new"}}, Move("/books", "new")),
        ({"split": {"route": "/books", "weights": {"new": 12.34}}}, Split("/books", {"new": 1234})),
        ({"split": {"route": "/books", "weights": {"new": 0.29, "a": 57}}}, Split("/books", {"new": 29, "a": 5700})),
        ({"rollback": {}}, RollBack()),
        ({"rollback": {"route": "/books"}}, RollBack(route="/books")),
        ({"rollback": {"version": 3}}, RollBack(version=3)),
        ({"rollback": {"all": True}}, RollBack(everything=True)),
    ],
)
def test_a_body_is_a_change(body: Any, change: Change) -> None:
    assert ChangeBody.model_validate(body).change() == change


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"move": {"route": "/books", "backend": "new"}, "rollback": {}},
        {"move": {"route": "/books"}},
        {"move": {"route": "/books", "backend": "new", "force": True}},
        {"undo": {}},
        {"split": {"route": "/books", "weights": {}}},
        {"split": {"route": "/books", "weights": {"new": 101}}},
        {"split": {"route": "/books", "weights": {"new": -1}}},
        {"split": {"route": "/books", "weights": {"new": 0.001}}},
        {"split": {"route": "/books", "weights": {"new": float("nan")}}},
        {"rollback": {"route": "/books", "version": 3}},
        {"rollback": {"version": 0}},
        {"rollback": {"version": 3, "all": True}},
    ],
)
def test_anything_else_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        ChangeBody.model_validate(body)
