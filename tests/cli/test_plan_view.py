from __future__ import annotations

from gateway.change.plan import Plan, RoutePlan
from gateway.cli.plan_view import plan_data, plan_lines
from gateway.config.loader import load_text
from tests.cli.project import ROUTES

LOADED = load_text(ROUTES)


def lines(*routes: RoutePlan, notes: tuple[str, ...] = ()) -> list[str]:
    return list(plan_lines(plan_data(Plan(LOADED, LOADED, routes, "", "summary", b"", notes))))


ALL = RoutePlan("/a", (("legacy", 10_000),), (("new", 10_000),), (("legacy", "new", 10_000),))


def test_one_route_is_not_named_again() -> None:
    assert lines(ALL) == ["summary", "  everybody moves from legacy to new"]


def test_several_are() -> None:
    part = RoutePlan("/b", (), (), (("legacy", "new", 250), ("third", "new", 1)))
    part = RoutePlan("/b", (("legacy", 1),), (("new", 1),), part.moves)
    assert lines(ALL, part) == [
        "summary",
        "  /a: everybody moves from legacy to new",
        "  /b: 2.5 % of the users move from legacy to new",
        "  /b: 0.01 % of the users move from third to new",
    ]


def test_routes_that_come_and_go() -> None:
    come = RoutePlan("/a", (), (("legacy", 9000), ("new", 1000)), ())
    go = RoutePlan("/b", (("new", 10_000),), (), ())
    assert lines(come, go)[1:] == [
        "  /a: is a route of its own again, legacy 90 %, new 10 %",
        "  /b: is no route any more; its requests go where the other routes say",
    ]


def test_very_many_are_not_all_told() -> None:
    assert lines(*[ALL] * 1000)[-1] == "  and so on, for 980 more routes"


def test_notes_are_at_the_end() -> None:
    assert lines(ALL, notes=("beware",))[-1] == "note: beware"
