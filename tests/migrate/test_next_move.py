from __future__ import annotations

from gateway.migrate.coverage import cover
from gateway.migrate.next_move import next_moves, perhaps_unused
from gateway.migrate.target import Target
from gateway.migrate.traffic import Traffic
from tests.migrate.samples import ROUTES, TARGETS, config


def test_what_reads_goes_first_then_what_has_begun_then_what_is_asked_for_most() -> None:
    steps = next_moves(cover(TARGETS, config(), "legacy"), "new")
    assert [(step.label, step.command) for step in steps] == [
        ("GET,HEAD /b", "gateway split 'GET,HEAD /b' new=25"),
        ("GET /u/<name>", "gateway init --write"),
        ("POST /b", "gateway split 'POST /b' new=5"),
        ("WEBSOCKET /ws", "gateway init --write"),
    ]


def test_the_reasons() -> None:
    counts = {("GET,HEAD /b", "legacy", "GET"): 30.0, ("default", "legacy", "GET"): 70.0}
    first, second, third, fourth = next_moves(cover(TARGETS, config(), "legacy", Traffic(counts, "here")), "new")
    assert first.why == (
        "it only reads",
        "the new app has 10 % of it already",
        "30.0 % of all requests",
        "group b keeps in step: POST /b",
    )
    assert second.why == (
        "it only reads",
        "at most 70.0 % of all requests, which it shares with 1 others",
        "no route names it yet; `gateway init` adds one",
        "name: string against int",
    )
    assert third.why[:2] == ("it writes: move what reads it in one group", "nobody has asked for it in the time seen")
    assert "a WebSocket: who is connected stays until it ends" in fourth.why


def test_among_equals_what_is_asked_for_most() -> None:
    targets = tuple(Target(f"/{name}", f"/{name}", "GET", both=True) for name in "abc")
    text = (
        ROUTES.partition("routes:")[0] + "routes:\n" + "".join(f"  - {{path: /{name}, to: legacy}}\n" for name in "abc")
    )
    traffic = Traffic({("/b", "legacy", "GET"): 9.0, ("/c", "legacy", "GET"): 1.0}, "here")
    steps = next_moves(cover(targets, config(text), "legacy", traffic), "fresh", most=2)
    assert [step.command for step in steps] == ["gateway split '/b' fresh=5", "gateway split '/c' fresh=5"]


def test_the_last_step_of_a_canary_is_a_move() -> None:
    for share, command in (
        (3, "split 'GET,HEAD /b' new=5"),
        (25, "split 'GET,HEAD /b' new=50"),
        (50, "move 'GET,HEAD /b' new"),
    ):
        text = ROUTES.replace("{legacy: 90, new: 10}", f"{{legacy: {100 - share}, new: {share}}}")
        assert next_moves(cover(TARGETS, config(text), "legacy"), "new")[0].command == f"gateway {command}"


def test_a_route_of_several_endpoints_is_one_step() -> None:
    text = ROUTES.replace('"/b/{id:int}", to: new', '"/b/{id:int}", to: legacy')
    step = next(s for s in next_moves(cover(TARGETS, config(text), "legacy"), "new") if s.label == "/b/{id:int}")
    assert [row.target.label for row in step.rows] == ["GET /b/<int:n>", "DELETE /b/<int:n>"]
    assert step.why[0] == "it writes: move what reads it in one group"


def test_what_nobody_uses_and_nobody_has_ported() -> None:
    assert perhaps_unused(cover(TARGETS, config(), "legacy")) == ()
    traffic = Traffic({("/b/{id:int}", "new", "GET"): 1.0}, "here")
    assert [row.target.label for row in perhaps_unused(cover(TARGETS, config(), "legacy", traffic))] == ["GET /old"]
