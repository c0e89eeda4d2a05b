from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from gateway.change.change import RollBack, Split
from gateway.control.dashboard.fields import Asked, FieldError, change, split

UNDO = '{"rollback": {}}'


def test_a_form_says_what_for_which_text_who_and_why() -> None:
    fields = {"change": UNDO, "digest": "abc", "reason": " it is slow ", "user": "Zoë", "back": "GET /books"}
    asked = Asked.parse(urlencode(fields).encode())
    assert asked == Asked(RollBack(), UNDO, "abc", "it is slow", "Zoë", "GET /books")


def test_only_the_change_has_to_be_there() -> None:
    asked = Asked.parse(urlencode({"change": UNDO}).encode())
    assert (asked.digest, asked.reason, asked.user, asked.back) == ("", "", "", "")


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\x00", b"change=", b"change=%7B%7D", b"change=%7B%22delete%22%3A%7B%7D%7D", b"change=%5B%5D"],
)
def test_what_is_no_change_is_refused(body: bytes) -> None:
    with pytest.raises(FieldError):
        Asked.parse(body)


@pytest.mark.parametrize(
    ("fields", "weights"),
    [
        ({"weight.new": "25"}, {"new": 25}),
        ({"weight.new": "12.5"}, {"new": 12.5}),
        ({"weight.new": "12,5"}, {"new": 12.5}),
        ({"weight.new": ""}, {"new": 0}),
        ({"weight.new": "25", "weight.third": "75"}, {"new": 25, "third": 75}),
        ({"weight.new": "25", "preset": "new:50"}, {"new": 50}),
        ({"preset": "new:100"}, {"new": 100}),
    ],
)
def test_the_split_that_a_form_asks_for(fields: dict[str, str], weights: dict[str, float]) -> None:
    text = split("GET /books", {"label": "GET /books", **fields})
    assert text is not None
    assert json.loads(text) == {"split": {"route": "GET /books", "weights": weights}}
    wanted = {backend: round(percent * 100) for backend, percent in weights.items()}
    assert change(text) == Split("GET /books", wanted)


def test_a_page_that_was_only_opened_asks_for_nothing() -> None:
    assert split("GET /books", {"label": "GET /books", "applied": "3", "preset": ""}) is None


@pytest.mark.parametrize("typed", ["-1", "101", "ten", "nan", "inf", "12.345", "1e400"])
def test_a_share_is_a_percentage(typed: str) -> None:
    with pytest.raises(FieldError, match="The share of new is a number from 0 to 100"):
        split("/books", {"weight.new": typed})


def test_shares_are_not_more_than_everything() -> None:
    with pytest.raises(FieldError, match="more than 100 %"):
        split("/books", {"weight.new": "60", "weight.third": "60"})
