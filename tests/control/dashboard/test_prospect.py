from __future__ import annotations

from gateway.change.change import Change, RollBack, Split
from gateway.change.plan import plan
from gateway.config.loader import load_text
from gateway.control.dashboard.prospect import Prospect, prospect
from gateway.history.history import History

ROUTES = """\
version: 1
backends:
  legacy: {app: "legacy:app"}
  new: {app: "new:app"}
default: legacy
override: {secret: "quite-a-long-secret"}
routes:
  - {path: /books, to: {legacy: 90, new: 10}}
  - {path: /items, to: {legacy: 50, new: 50}, sticky: none}
"""


def shown(change: Change) -> Prospect:
    return prospect(plan(load_text(ROUTES), change, History(None)), "abc", "{}", {"legacy": 0, "new": 1})


def test_a_plan_shows_now_and_then_and_who_moves() -> None:
    (route,) = shown(Split("/books", {"new": 2500})).routes
    assert (route.before_text, route.after_text) == ("legacy 90 % · new 10 %", "legacy 75 % · new 25 %")
    assert [(share.backend, share.percent) for share in route.after] == [("legacy", 75), ("new", 25)]
    assert route.moves == ("15 % of its users move from legacy to new",)


def test_without_a_key_it_is_requests_that_move() -> None:
    (route,) = shown(Split("/items", {"new": 10_000})).routes
    assert route.moves == ("50 % of its requests move from legacy to new",)
    assert route.after_text == "new"


def test_the_lines_of_the_file_are_shown_without_their_secret() -> None:
    lines = shown(RollBack(everything=True)).lines
    texts = "\n".join(line.text for line in lines)
    assert [line.text for line in lines if line.kind == "added"] == [
        "+  - {path: /books, to: legacy}",
        "+  - {path: /items, to: legacy, sticky: none}",
    ]
    assert "override" in texts
    assert "quite-a-long-secret" not in texts
