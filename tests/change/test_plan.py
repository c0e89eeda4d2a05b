from __future__ import annotations

from pathlib import Path

import pytest

from gateway.change.change import Change, ChangeError, Move, RollBack, Split
from gateway.change.found import Found, find
from gateway.change.plan import Plan, plan
from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from gateway.history.history import History
from tests.change.shop import ROUTES, lived, shop


def planned(change: Change, history: History | None = None) -> Plan:
    return plan(shop(), change, history or History(None))


def refused(change: Change, history: History | None = None) -> tuple[str, str]:
    with pytest.raises(ChangeError) as error:
        planned(change, history)
    return error.value.kind, str(error.value)


def test_a_move() -> None:
    made = planned(Move("GET /books", "new"))
    assert made.summary == "GET /books: legacy 90 %, new 10 % → new"
    [route] = made.routes
    assert (route.label, route.before, route.after) == (
        "GET /books",
        (("legacy", 9000), ("new", 1000)),
        (("new", 10_000),),
    )
    assert route.moves == (("legacy", "new", 9000),)
    assert made.after.text == ROUTES.replace("to: {legacy: 90, new: 10}", "to: new", 1)
    assert made.diff.splitlines()[6:8] == ["-    to: {legacy: 90, new: 10}", "+    to: new"]
    assert made.replaces == ROUTES.encode()
    assert not made.discards


def test_a_split_gives_the_rest_to_the_default() -> None:
    made = planned(Split("/search", {"new": 2550}))
    assert made.after.text.count("{legacy: 74.5, new: 25.5}") == 1
    assert made.routes[0].moves == (("legacy", "new", 1550),)


def test_a_split_that_is_all_is_a_move() -> None:
    assert planned(Split("/search", {"new": 10_000})).after == planned(Move("/search", "new")).after


def test_who_is_not_named_in_a_split_loses_his_share() -> None:
    made = planned(Split("first-partner", {"new": 5000}))
    assert dict(made.routes[0].after) == {"legacy": 5000, "new": 5000}
    assert made.after.text.count("to: {third: 0, new: 50, legacy: 50}") == 1
    assert made.notes == ("third is not named, and loses its 50 %",)


@pytest.mark.parametrize("weights", [{"new": 10_000}, {"new": 0}, {"legacy": 10_000}, {"legacy": 0, "new": 10_000}])
def test_who_is_named_or_is_the_default_has_not_been_forgotten(weights: dict[str, int]) -> None:
    forgotten = [note for note in planned(Split("/search", weights)).notes if "is not named" in note]
    assert forgotten == ([] if "new" in weights else ["new is not named, and loses its 10 %"])


def test_the_default_may_be_named() -> None:
    assert planned(Split("/search", {"legacy": 5000, "new": 5000})).routes[0].after == (("legacy", 5000), ("new", 5000))


def test_a_group_that_falls_out_of_step_is_noted() -> None:
    made = planned(Split("GET /books", {"new": 2500}))
    assert made.notes == ("group 'catalogue' is not in step: /search goes to legacy 90 % and new 10 %",)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (Move("/nope", "new"), "unknown-route", "no route is called '/nope'"),
        (Move("/items", "new"), "ambiguous-route", "'/items' can be"),
        (Move("/search", "nwe"), "unknown-backend", "no backend is called 'nwe'; did you mean 'new'?"),
        (Move("/search", "x"), "unknown-backend", "no backend is called 'x'; there are legacy, new and third"),
        (Split("/search", {"new": 10_001}), "bad-weights", "a split has percentages from 0 to 100"),
        (Split("/search", {"new": -1}), "bad-weights", "a split has percentages from 0 to 100"),
        (Split("/search", {}), "bad-weights", "a split has percentages from 0 to 100"),
        (Split("/search", {"new": 6000, "third": 5000}), "bad-weights", "the percentages add up to 110, more than 100"),
        (
            Split("/search", {"legacy": 50, "new": 1000}),
            "bad-weights",
            "the percentages add up to 10.5, not 100; leave out legacy, and it gets the rest",
        ),
        (Move("GET /items", "legacy"), "nothing-changes", "GET /items goes to legacy already; nothing changes"),
        (
            Split("/search", {"new": 1000}),
            "nothing-changes",
            "/search goes to legacy 90 % and new 10 % already; nothing changes",
        ),
        (RollBack("POST /items"), "nothing-changes", "POST /items goes to legacy already"),
        (RollBack(), "nothing-to-undo", "no version was ever live here"),
        (RollBack(version=3), "unknown-version", "there is no version 3; none was ever live here"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_remedy(change: Change, kind: str, message: str) -> None:
    told = refused(change)
    assert told[0] == kind
    assert told[1].startswith(message)


def test_what_cannot_be_edited_is_said_with_its_line() -> None:
    text = ROUTES.replace("{legacy: 90, new: 10}", "&canary {legacy: 90, new: 10}", 1)
    text = text.replace(
        " {legacy: 90, new: 10}\n    group: catalogue\n\n  - path: /items", " *canary\n\n  - path: /items"
    )
    with pytest.raises(ChangeError, match=r"^routes.yaml:15:9: line 19 uses this value too") as error:
        plan(shop(text), Move("GET /books", "new"), History(None))
    assert error.value.kind == "not-editable"


def test_a_route_goes_back_to_the_default() -> None:
    made = planned(RollBack("/books/{id:int}"))
    assert made.after.text == ROUTES.replace("to: new # since May", "to: legacy # since May")
    assert made.undone_to is None


def test_everything_goes_back_to_the_default() -> None:
    made = planned(RollBack(everything=True))
    assert {route.to for route in made.after.config.routes} == {"legacy"}
    assert len(made.routes) == 4
    assert made.after.text.count("# since May") == 1
    with pytest.raises(ChangeError, match="every route goes to legacy already") as error:
        plan(made.after, RollBack(everything=True), History(None))
    assert error.value.kind == "nothing-changes"


EDITED = ROUTES.replace("to: legacy\n  - name", "to: new\n  - name").replace("# since May", "# for good")


@pytest.fixture
def history() -> History:
    """The file was edited by hand, and is live so."""
    history = History(None)
    lived(history, ROUTES, EDITED)
    return history


def test_undo_brings_back_the_text_of_the_version_before(history: History) -> None:
    made = plan(shop(EDITED), RollBack(), history)
    assert made.after.text == ROUTES
    assert made.summary == "back to version 1: POST /items: new → legacy"
    assert [route.label for route in made.routes] == ["POST /items"]
    assert made.undone_to == 1
    assert not made.discards


def test_a_version_can_be_brought_back_by_its_number(history: History) -> None:
    made = plan(shop(EDITED), RollBack(version=1), history)
    assert made.after.text == ROUTES
    assert made.undone_to is None
    with pytest.raises(ChangeError, match="is version 2 already"):
        plan(shop(EDITED), RollBack(version=2), history)
    with pytest.raises(ChangeError, match="there is no version 7; there are 1 to 2, see `gateway history`"):
        plan(shop(EDITED), RollBack(version=7), history)


def test_a_bad_file_goes_back_to_what_is_live(history: History, tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text(EDITED.replace("default: legacy", "default: lagacy"))
    found = find(tmp_path / "routes.yaml")
    made = plan(found, RollBack(), history)
    assert made.after.text == EDITED
    assert (made.replaces, made.discards, made.undone_to) == (found.content, True, None)
    assert made.routes == ()
    assert made.notes == ("routes.yaml is bad now: routes.yaml:6:10: unknown backend 'lagacy'; did you mean 'legacy'?",)
    assert "-default: lagacy\n+default: legacy\n" in made.diff


def test_a_file_that_is_gone_comes_back(history: History, tmp_path: Path) -> None:
    made = plan(find(tmp_path / "routes.yaml"), RollBack(), history)
    assert (made.after.text, made.replaces, made.discards) == (EDITED, None, False)


def test_a_file_that_is_not_utf8_comes_back(history: History) -> None:
    with pytest.raises(ConfigError) as bad:
        load_text(b"\xff")
    made = plan(Found("routes.yaml", b"\xff", None, bad.value.problems), RollBack(), history)
    assert made.after.text == EDITED


def test_a_good_edit_that_is_not_live_is_discarded_with_a_note(history: History) -> None:
    made = plan(shop(EDITED + "# and so on\n"), RollBack(), history)
    assert (made.after.text, made.discards, made.undone_to) == (EDITED, True, None)
    assert made.notes == ("routes.yaml as it is now was never live; it goes back to what is",)


def test_a_bad_file_must_be_repaired_before_anything_else(history: History) -> None:
    problems = find(Path("/nowhere/routes.yaml")).problems
    for change in (Move("/search", "new"), RollBack("/search"), RollBack(everything=True)):
        with pytest.raises(ConfigError, match="no such file"):
            plan(Found("routes.yaml", None, None, problems), change, history)


def test_a_text_that_is_not_kept_cannot_be_brought_back() -> None:
    history = History(None)
    history.record(1, "0" * 12, None, at=1.0)
    history.record(2, shop().digest, ROUTES, at=2.0)
    assert refused(RollBack(), history) == (
        "unknown-version",
        "the text of version 1 is not kept; choose another with `gateway rollback --to`",
    )


def test_routes_that_come_and_go_are_told(history: History) -> None:
    shorter = ROUTES[: ROUTES.index("  - name: first-partner")].replace("path: /search", "path: /find")
    made = plan(shop(shorter), RollBack(version=1), history)
    assert {(route.label, bool(route.before), bool(route.after)) for route in made.routes} == {
        ("/search", False, True),
        ("first-partner", False, True),
        ("/find", True, False),
    }


def test_users_who_are_drawn_anew_are_told_of() -> None:
    history = History(None)
    lived(history, ROUTES.replace("    group: catalogue\n", ""), ROUTES)
    made = planned(RollBack(), history)
    assert made.notes[0] == "the users of GET /books are drawn anew: what decides who is who has changed"
    assert made.routes[0].moves == (("legacy", "new", 900), ("new", "legacy", 900))
