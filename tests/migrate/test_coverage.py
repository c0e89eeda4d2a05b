from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.loader import load_text
from gateway.config.rule_of import rule_of
from gateway.migrate.coverage import Coverage, Requests, Row, cover
from gateway.migrate.target import Target
from gateway.migrate.traffic import Traffic
from gateway.routing.table import Table
from tests.migrate.samples import ROUTES, TARGETS, config


def rows(coverage: Coverage) -> dict[str, Row]:
    return {row.target.label: row for row in (*coverage.rows, *coverage.only_new)}


def test_the_states() -> None:
    coverage = cover(TARGETS, config(), "legacy")
    assert {label: (row.state, row.share, row.route) for label, row in rows(coverage).items()} == {
        "GET /b": ("canary", 1000, "GET,HEAD /b"),
        "POST /b": ("both", 0, "POST /b"),
        "GET /b/<int:n>": ("moved", 10000, "/b/{id:int}"),
        "DELETE /b/<int:n>": ("moved", 10000, "/b/{id:int}"),
        "GET /u/<name>": ("both", 0, "default"),
        "GET /login": ("moved", 10000, "/login"),
        "GET /old": ("legacy only", 0, "default"),
        "WEBSOCKET /ws": ("both", 0, "default"),
        "GET /health": ("new only", 10000, "/health"),
    }
    assert (coverage.count("moved"), coverage.moved, len(coverage.rows)) == (3, 37.5, 8)
    assert coverage.new_traffic is None


def test_what_goes_where_it_is_not() -> None:
    missing = [label for label, row in rows(cover(TARGETS, config(), "legacy")).items() if row.misses]
    assert missing == ["GET /login"]


def test_some_of_its_requests_may_go_by_other_routes() -> None:
    assert rows(cover(TARGETS, config(), "legacy"))["GET /b"].partly == ("beta",)
    narrow = config(ROUTES + "  - {path: /u/me, to: new}\n  - {path: '/u/{n:int}', methods: [GET], to: new}\n")
    row = rows(cover(TARGETS, narrow, "legacy"))["GET /u/<name>"]
    assert (row.partly, row.state, row.route) == (("/u/me", "GET /u/{n:int}"), "both", "default")


def test_a_route_for_some_hosts_takes_only_a_part() -> None:
    hosts = config(ROUTES + "  - {path: /old, host: '*.example.com', to: new}\n")
    targets = (Target("/old", "/old", "GET"), Target("/old", "/old", "GET", host="a.example.com"))
    first, second = cover(targets, hosts, "legacy").rows
    assert (first.route, first.partly, second.route) == (
        "default",
        ("/old host=*.example.com",),
        "/old host=*.example.com",
    )


def test_an_endpoint_for_every_method_is_moved_only_by_a_route_for_every_method() -> None:
    target = Target("/b/<int:n>", "/b/{n:int}", "")
    assert cover((target,), config(), "legacy").rows[0].state == "moved"
    one = config(ROUTES.replace('{path: "/b/{id:int}", to', '{path: "/b/{id:int}", methods: [GET], to'))
    assert cover((target,), one, "legacy").rows[0].partly == ("GET /b/{id:int}",)


def test_what_still_has_to_be_cleaned_up() -> None:
    text = ROUTES.replace('"/b/{id:int}", to: new', '"/b/{id:int}", compat: [head, json], to: new')
    assert rows(cover(TARGETS, config(text), "legacy"))["GET /b/<int:n>"].compat == ("head", "json")


def test_when_the_default_is_the_new_app() -> None:
    text = "version: 1\nbackends: {legacy: {app: 'a:b'}, new: {app: 'c:d'}}\ndefault: new\n"
    coverage = cover(TARGETS, config(text), "legacy")
    assert coverage.moved == 100.0
    assert len([row for row in coverage.rows if row.misses]) == 2


def test_nothing_is_left_of_an_app_without_endpoints() -> None:
    assert cover((), config(), "legacy").moved == 100.0


COUNTS = {
    ("GET,HEAD /b", "legacy", "GET"): 80.0,
    ("GET,HEAD /b", "new", "HEAD"): 10.0,
    ("beta", "new", "GET"): 5.0,
    ("/b/{id:int}", "new", "GET"): 4.0,
    ("/login", "new", "GET"): 0.0,
    ("default", "legacy", "GET"): 101.0,
}


def test_what_is_known_of_the_requests() -> None:
    coverage = cover(TARGETS, config(), "legacy", Traffic(COUNTS, "here", 60.0))
    known = {label: row.requests for label, row in rows(coverage).items()}
    assert known == {
        "GET /b": Requests(95.0, exact=True),
        "POST /b": Requests(0.0, exact=True),
        "GET /b/<int:n>": Requests(4.0, exact=True),
        "DELETE /b/<int:n>": Requests(0.0, exact=True),
        # Two endpoints without a route share what the default had, and with whatever else there is.
        "GET /u/<name>": Requests(101.0, exact=False, others=1),
        "GET /old": Requests(101.0, exact=False, others=1),
        "GET /login": Requests(0.0, exact=True),
        # No WebSocket came by any route that it could have come by.
        "WEBSOCKET /ws": Requests(0.0, exact=False),
        "GET /health": Requests(0.0, exact=True),
    }
    assert [label for label, row in rows(coverage).items() if row.dead] == [
        "POST /b",
        "DELETE /b/<int:n>",
        "GET /login",
        "WEBSOCKET /ws",
        "GET /health",
    ]
    assert coverage.new_traffic == pytest.approx(9.5)


def test_a_wider_route_is_never_exact() -> None:
    wide = config(ROUTES + "  - {path: '/u/{rest:path}', to: new}\n")
    traffic = Traffic({("/u/{rest:path}", "new", "GET"): 7.0}, "here")
    assert rows(cover(TARGETS, wide, "legacy", traffic))["GET /u/<name>"].requests == Requests(7.0, exact=False)


def test_without_metrics_nobody_is_dead() -> None:
    coverage = cover(TARGETS, config(), "legacy")
    assert not any(row.dead for row in coverage.rows)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["/b", "/b/{n:int}", "/b/{x}", "/u/{x}", "/{rest:path}", "/login"]),
            st.sampled_from(["[GET]", "[GET, POST]", "[POST]", ""]),
            st.sampled_from(["legacy", "new"]),
        ),
        max_size=6,
        unique_by=lambda each: each[:1],
    )
)
def test_the_state_is_where_the_gateway_sends_it(routes: list[tuple[str, str, str]]) -> None:
    lines = [f"  - {{path: '{p}', {f'methods: {m}, ' if m else ''}to: {to}}}\n" for p, m, to in routes]
    loaded = load_text(ROUTES.partition("routes:")[0] + ("routes:\n" if lines else "") + "".join(lines)).config
    table = Table([(rule_of(route), route.to) for route in loaded.routes])
    for target, path in zip(TARGETS[2:7:2], ("/b/1", "/u/x", "/old"), strict=True):
        row = cover((target,), loaded, "legacy").rows[0]
        if not row.partly:
            assert (table.match(target.method, path, (), b"") or "legacy") == ("new" if row.share else "legacy")
