from __future__ import annotations

import pytest

from gateway.control.dashboard.choosing import fits
from gateway.control.dashboard.overview import Row, overview
from tests.control.dashboard.status import BUSY, QUIET, route, status


def rows() -> dict[str, Row]:
    routes = [
        route("GET /books", {"legacy": 90.0, "new": 10.0}, group="catalogue"),
        route("/users", {"new": 100.0}, backends={"new": BUSY}),
        route("/reports", {"legacy": 100.0}, backends={"legacy": QUIET | {"error_ratio": 0.2, "p50": 0.1}}),
    ]
    return {row.label: row for row in overview(status(*routes)).rows}


@pytest.mark.parametrize(
    ("text", "kind", "labels"),
    [
        ("", "", ["GET /books", "/users", "/reports", "default"]),
        ("BOOKS", "", ["GET /books"]),
        ("cat new", "", ["GET /books"]),
        ("cat reports", "", []),
        ("new", "", ["GET /books", "/users"]),
        ("", "split", ["GET /books"]),
        ("", "errors", ["/reports"]),
        ("", "traffic", ["/users"]),
        ("books", "traffic", []),
        ("", "no-such-kind", ["GET /books", "/users", "/reports", "default"]),
    ],
)
def test_rows_are_chosen_by_words_and_by_kind(text: str, kind: str, labels: list[str]) -> None:
    assert [label for label, row in rows().items() if fits(row, text, kind)] == labels
