from __future__ import annotations

from typing import Any

import pytest

from gateway.control.admin.status import FigureView
from gateway.control.dashboard.overview import MEASURES, Figure, figures, overview, seen, shares, to_text
from gateway.control.dashboard.troubles import made_of
from tests.control.dashboard.status import BUSY, QUIET, route, status, worker


def test_the_default_is_shown_first_whatever_the_order_of_the_file() -> None:
    view = overview(status())
    assert list(view.hues) == ["legacy", "new", "third"]
    assert [backend.name for backend in view.backends] == ["legacy", "new", "third"]
    assert [backend.share for backend in view.backends] == ["60 %", "40 %", "–"]


def test_routes_are_counted_by_where_they_go_and_not_what_no_route_names() -> None:
    routes = [
        route("/a", {"legacy": 100.0}),
        route("/b", {"new": 100.0}),
        route("/c", {"new": 100.0}),
        route("/d", {"legacy": 90.0, "new": 10.0}),
    ]
    counts = overview(status(*routes)).counts
    assert [(count.name, count.routes) for count in counts] == [("legacy", 1), ("split", 1), ("new", 2), ("third", 0)]
    assert [(count.start, count.percent) for count in counts] == [(0, 25), (25, 25), (50, 50), (100, 0)]


def test_a_file_without_routes_is_no_division_by_zero() -> None:
    assert [count.percent for count in overview(status()).counts] == [0, 0, 0, 0]


def test_a_bar_has_a_piece_for_every_backend_in_its_place() -> None:
    pieces = shares({"third": 25.5, "legacy": 74.5}, {"legacy": 0, "new": 1, "third": 2})
    assert [(piece.backend, piece.start, piece.percent) for piece in pieces] == [
        ("legacy", 0, 74.5),
        ("new", 74.5, 0),
        ("third", 74.5, 25.5),
    ]


def test_a_row_has_its_figures_by_measure_with_the_backends_side_by_side() -> None:
    split = route("GET /books", {"legacy": 90.0, "new": 10.0}, backends={"legacy": BUSY, "new": QUIET})
    row = overview(status(split)).rows[0]
    assert len(row.figures) == len(MEASURES)
    assert [figure.text for figure in row.figures[0]] == ["12", "0", ""]
    assert [figure.text for figure in row.figures[4]] == ["31 ms", "–", ""]


def test_a_row_says_what_else_decides() -> None:
    split = route("GET /books", {"legacy": 90.0, "new": 10.0}, group="catalogue", host="shop.example.com")
    whole = route("/users", {"new": 100.0})
    first, second, last = overview(status(split, whole)).rows
    assert (first.methods, first.note) == ("GET", "line 12 · host shop.example.com · group catalogue · sticky cookie")
    assert (first.split, first.at_default, first.rest) == (True, False, False)
    assert (second.methods, second.note, second.split) == ("", "line 12", False)
    assert (last.label, last.at_default, last.rest) == ("default", True, True)


@pytest.mark.parametrize(
    ("label", "path", "named"),
    [("GET /books", "/books", False), ("the-books", "/books", True), ("/books", "/books", False)],
)
def test_a_route_with_a_name_shows_its_path_too(label: str, path: str, named: bool) -> None:
    row = overview(status(route(label, {"new": 100.0}, path=path))).rows[0]
    assert row.named is named
    assert path in row.find


def test_workers_that_are_not_on_the_live_version_do_not_count_as_live() -> None:
    workers = [worker(1), worker(2, version=2, digest="old"), worker(3, state="draining")]
    view = overview(status(workers=workers, planned=4))
    assert (view.live_on, view.planned) == (1, 4)
    assert [each.behind for each in view.workers] == [False, True, False]


@pytest.mark.parametrize(
    ("measured", "weight", "texts"),
    [
        (None, 0.0, ["", "", "", "", ""]),
        (None, 10.0, ["–", "–", "–", "–", "–"]),
        (QUIET, 0.0, ["", "", "", "", ""]),
        (QUIET, 10.0, ["0", "0", "–", "–", "–"]),
        (QUIET | {"in_flight": 1}, 0.0, ["0", "1", "–", "–", "–"]),
        (BUSY, 0.0, ["12", "3", "0 %", "8.0 ms", "31 ms"]),
        # WebSockets have no duration.
        (QUIET | {"rate": 2.0}, 10.0, ["2.0", "0", "0 %", "–", "–"]),
    ],
)
def test_what_was_not_measured_reads_as_nothing_and_not_as_zero(
    measured: dict[str, float] | None, weight: float, texts: list[str]
) -> None:
    view = None if measured is None else FigureView.model_validate(measured)
    assert [figure.text for figure in figures(view, weight)] == texts


@pytest.mark.parametrize(("error_ratio", "level"), [(0.0, ""), (0.0001, "warn"), (0.01, "bad"), (1.0, "bad")])
def test_errors_are_marked(error_ratio: float, level: str) -> None:
    found = figures(FigureView.model_validate(BUSY | {"error_ratio": error_ratio}), 100.0)
    assert found[2].level == level
    assert all(figure == Figure(figure.text) for place, figure in enumerate(found) if place != 2)


@pytest.mark.parametrize(
    ("to", "observed", "text"),
    [
        ({"legacy": 90.0, "new": 10.0}, {"legacy": 89.66, "new": 10.34}, "seen 89.7 / 10.3"),
        ({"legacy": 90.0, "new": 10.0}, {}, ""),
        ({"legacy": 90.0, "new": 10.0}, {"new": 100.0}, "seen 0.0 / 100.0"),
        ({"new": 100.0}, {"new": 100.0}, ""),
        ({"legacy": 0.0, "new": 100.0}, {"new": 100.0}, ""),
    ],
)
def test_what_a_split_has_come_to(to: dict[str, float], observed: dict[str, float], text: str) -> None:
    assert seen(to, observed) == text


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ({"new": 100.0}, "new"),
        ({"legacy": 0.0, "new": 100.0}, "new"),
        ({"legacy": 87.5, "new": 12.5}, "legacy 87.5 % · new 12.5 %"),
    ],
)
def test_where_a_route_goes_in_words(to: dict[str, float], text: str) -> None:
    assert to_text(to) == text


def ill(trouble: str) -> dict[str, Any]:
    """A backend of which one address is well."""
    address = {"address": "http://a", "health": "down", "since": 5.0, "reason": "", "ejected": 0, "trouble": trouble}
    addresses = [address, {**address, "address": "http://b", "trouble": ""}]
    return {"name": "legacy", "kind": "remote", "address": "http://a, http://b", "addresses": addresses, **QUIET}


def test_a_backend_says_which_of_its_addresses_is_not_well() -> None:
    [backend] = overview(status(backends=[ill("is down: status 500")])).backends
    assert backend.troubles == ("http://a is down: status 500",)


@pytest.mark.parametrize(("state", "wrong"), [("live", ""), ("rejected", "refused"), ("missing", "missing")])
def test_what_is_wrong_with_the_file_in_a_word(state: str, wrong: str) -> None:
    config = {"state": state, "version": 3, "digest": "abc", "since": 1.0, "problems": []}
    assert overview(status(config=config)).wrong == wrong


def alone(trouble: str) -> dict[str, Any]:
    breakers = {"new": {"open": 1, "closed": 1, "trouble": trouble}}
    return route("GET /books", {"legacy": 90.0, "new": 10.0}, breakers=breakers)


def test_a_row_says_which_backend_is_left_alone() -> None:
    row, _ = overview(status(alone("is left alone"), alone(""))).rows[:2]
    assert row.troubles == ("new is left alone",)
    assert overview(status(alone(""))).rows[0].troubles == ()


FULL = {"in_flight": 2, "allowed": 2, "waiting": 7, "refused": 34, "trouble": "is at its limit"}


def limited(**others: Any) -> dict[str, Any]:
    return route("GET /books", {"legacy": 90.0, "new": 10.0}, limit={**FULL, **others})


def test_a_row_and_a_backend_say_how_full_their_limits_are() -> None:
    backend = {"name": "legacy", "kind": "embedded", "address": "l:app", "limit": FULL, **QUIET}
    view = overview(status(limited(), limited(waiting=0, refused=0, trouble=""), route("/a", {"new": 100.0})))
    assert [(row.limit, row.troubles) for row in view.rows] == [
        ("2 of 2 in flight, 7 waiting, 34 refused", ("is at its limit",)),
        ("2 of 2 in flight", ()),
        ("", ()),
        ("", ()),
    ]
    [shown] = overview(status(backends=[backend])).backends
    assert (shown.limit, shown.troubles) == ("2 of 2 in flight, 7 waiting, 34 refused", ("is at its limit",))


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        ({}, "nothing"),
        ({"connections": 2, "slow_head": 30, "malformed": 2}, "30 slow_head, 2 connections, 2 malformed"),
    ],
)
def test_what_was_refused_lately_the_most_frequent_first(refused: dict[str, int], text: str) -> None:
    assert overview(status(refused=refused)).refused == text


def test_the_page_is_made_anew_for_whatever_is_no_figure_and_for_nothing_else() -> None:
    plain = status()
    assert made_of(status(backends=[], refused={"slow_head": 1})) == made_of(plain)
    assert made_of(status(limited(waiting=8, refused=9))) == made_of(status(limited()))
    assert made_of(status(limited(trouble=""))) != made_of(status(limited()))
    config = plain.config
    for other in (
        status(config=config.model_copy(update={"version": 4})),
        status(config=config.model_copy(update={"digest": "def"})),
        status(config=config.model_copy(update={"problems": ["routes.yaml:8:9: unknown backend 'lagacy'"]})),
        status(workers=[worker(1), worker(2, state="draining")]),
        status(workers=[worker(1)]),
        status(backends=[ill("is down: status 500")]),
    ):
        assert made_of(other) != made_of(plain)
