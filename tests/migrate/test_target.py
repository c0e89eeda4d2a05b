from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from flask import Flask
from werkzeug.routing import Rule

from gateway.migrate.inventory.compare import compare
from gateway.migrate.inventory.reader import inventory_of
from gateway.migrate.target import Target, targets
from tests.migrate.samples import TARGETS


def test_each_method_of_each_endpoint() -> None:
    old = Flask("old", static_folder=None)
    old.add_url_rule("/b", "b", lambda: "", methods=["GET", "POST", "BREW"])
    old.add_url_rule("/b", "shadowed", lambda: "")
    old.add_url_rule("/o", "o", lambda: "", methods=["GET", "OPTIONS"])
    old.url_map.add(Rule("/any", endpoint="any"))
    old.url_map.add(Rule("/ws", endpoint="ws", websocket=True))
    new = FastAPI(openapi_url=None)
    new.add_api_route("/b", lambda: None, methods=["GET", "HEAD", "PUT"])
    new.add_api_route("/c", lambda: None)
    found = targets(compare(inventory_of(old, "old"), inventory_of(new, "new")))
    # HEAD goes with GET, and what Flask answers by itself nobody has to move.
    assert [(each.label, each.both, each.only_new) for each in found] == [
        ("GET /b", True, False),
        ("POST /b", False, False),
        ("GET /o", False, False),
        ("OPTIONS /o", False, False),
        ("/any", False, False),
        ("WEBSOCKET /ws", False, False),
        ("PUT /b", False, True),
        ("GET /c", False, True),
    ]


def test_what_makes_it_less_than_a_straight_move() -> None:
    old = Flask("old", static_folder=None)
    old.add_url_rule("/b/<name>", "b", lambda name: "")
    old.add_url_rule("/f/<float:x>", "f", lambda x: "")
    new = FastAPI(openapi_url=None)

    @new.get("/b/{n}")
    def read(n: int) -> None: ...

    first, second = targets(compare(inventory_of(old, "old"), inventory_of(new, "new")))
    assert (first.path, first.remarks) == ("/b/{name:int}", ("name: string against int",))
    assert second.remarks == ("x is wider here: it is of the type float",)


def test_which_methods_are_safe() -> None:
    assert [each.safe for each in TARGETS] == [True, False, True, False, True, True, True, False, True]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.label)
def test_as_data_and_back(target: Target) -> None:
    data = json.loads(json.dumps(target.as_data()))
    assert Target.from_data({**data, "later": "ignored"}) == target


@pytest.mark.parametrize("data", [{}, {"rule": "/a", "path": "a", "method": ""}, {"rule": 1, "path": 1, "method": 1}])
def test_what_is_no_target(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a target"):
        Target.from_data(data)
