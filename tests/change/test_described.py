from __future__ import annotations

import pytest

from gateway.change.described import described
from gateway.config.loader import load_text
from gateway.config.model import Config

HEAD = """\
version: 1
backends:
  legacy: {app: "legacy:app"}
  new: {app: "new:app"}
"""


def config(routes: str, head: str = HEAD, default: str = "legacy") -> Config:
    return load_text(f"{head}default: {default}\nroutes:\n{routes}").config


def route(path: str, to: str, more: str = "") -> str:
    return f'  - {{path: "{path}", to: {to}{more}}}\n'


OLD = route("/a", "legacy") + route("/b", "{legacy: 90, new: 10}")


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (route("/a", "new") + route("/b", "{legacy: 90, new: 10}"), "/a: legacy → new"),
        (
            route("/a", "legacy") + route("/b", "{legacy: 74.5, new: 25.5}"),
            "/b: legacy 90 %, new 10 % → legacy 74.5 %, new 25.5 %",
        ),
        (route("/a", "legacy") + route("/b", "{legacy: 100, new: 0}"), "/b: legacy 90 %, new 10 % → legacy"),
        (route("/a", "legacy"), "/b: removed (was legacy 90 %, new 10 %)"),
        (OLD + route("/c", "new"), "/c: new route → new"),
        (route("/a", "legacy", ", sticky: ip") + route("/b", "{legacy: 90, new: 10}"), "/a: edited"),
        (route("/b", "{legacy: 90, new: 10}") + route("/a", "legacy"), "routes as before"),
    ],
)
def test_a_change_of_the_routes_is_told(routes: str, expected: str) -> None:
    assert described(config(OLD), config(routes)) == expected


def test_a_change_of_anything_else_is_told() -> None:
    head = HEAD.replace('"new:app"', '"newer:app"') + '  third: {app: "third:app"}\n'
    other = config(OLD, head + "defaults: {sticky: ip}\n", default="new")
    assert (
        described(config(OLD), other)
        == "default: legacy → new; backend third: new; backend new: edited; defaults: edited"
    )
    assert "backend third: removed" in described(other, config(OLD))


def test_many_changes_are_counted() -> None:
    many = "".join(route(f"/{n}", "new") for n in range(10))
    told = described(config("  []"), config(many))
    assert told.endswith("; and 6 more changes")
    assert told.count("new route") == 4
