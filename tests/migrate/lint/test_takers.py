from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.loader import load_text
from gateway.config.model import Config
from gateway.config.rule_of import rule_of
from gateway.migrate.lint.placed import placed
from gateway.migrate.lint.takers import Takers
from gateway.routing.table import Table
from tests.migrate.lint.shop import HEAD

PATHS = ["/", "/a", "/a/", "/{x}", "/{x:int}", "/a/{x}", "/a/{x:int}", "/{x}/b", "/{x:path}", "/a/{x:path}"]
ASKED = ["/", "/a", "/a/", "/b", "/7", "/a/7", "/a/b", "/7/b", "/a/b/c"]
METHODS = [None, "[GET]", "[POST]"]


def config(routes: list[tuple[str, str | None]]) -> Config:
    lines = [
        f"  - {{path: '{path}', to: new{f', methods: {methods}' if methods else ''}}}\n" for path, methods in routes
    ]
    return load_text(HEAD + ("routes:\n" + "".join(lines) if lines else "")).config


def takers(routes: list[tuple[str, str | None]], path: str, methods: list[str]) -> list[tuple[str, list[str]]]:
    found = Takers(placed(config(routes), "new", "legacy")).of(path, None, methods)
    return [(own.label, taken) for own, taken in found]


@pytest.mark.parametrize(
    ("routes", "path", "expected"),
    [
        ([], "/a", []),
        ([("/a", None)], "/a", [("/a", ["GET", "POST"])]),
        ([("/a", None), ("/{x}", None)], "/a", [("/a", ["GET", "POST"])]),
        ([("/a", "[GET]"), ("/{x}", None)], "/a", [("GET /a", ["GET"]), ("/{x}", ["POST"])]),
        # All of a path that varies: some of it each.
        ([("/a", None), ("/{x}", None)], "/{y}", [("/a", ["GET", "POST"]), ("/{x}", ["GET", "POST"])]),
        ([("/{x:int}", None), ("/{x}", None)], "/{y:int}", [("/{x:int}", ["GET", "POST"])]),
    ],
)
def test_some(routes: list[tuple[str, str | None]], path: str, expected: list[tuple[str, list[str]]]) -> None:
    assert takers(routes, path, ["GET", "POST"]) == expected


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(METHODS)), unique=True, max_size=7),
    st.sampled_from(["GET", "POST"]),
)
def test_the_table_sends_a_request_to_the_one_that_takes_it(routes: list[tuple[str, str | None]], method: str) -> None:
    loaded = config(routes)
    table = Table([(rule_of(route), route.label) for route in loaded.routes])
    for path in ASKED:
        sent = table.match(method, path, (), b"")
        assert [label for label, _ in takers(routes, path, [method])] == ([] if sent is None else [sent])
