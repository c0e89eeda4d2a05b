from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.editor import EditError, edit
from gateway.config.loader import load_text
from tests.config.routes_text import HEAD, Weights, Written, files, weights

NEW: Weights = (("new", 10_000),)
QUARTER: Weights = (("legacy", 7500), ("new", 2500))


def edited(routes: str, wanted: Weights, index: int = 0) -> str:
    after = edit(load_text(HEAD + routes), {index: wanted})
    assert after.text.startswith(HEAD)
    return after.text.removeprefix(HEAD)


def serving(shares: Weights) -> dict[str, int]:
    return {name: weight for name, weight in shares if weight > 0}


@given(files(), weights(), st.data())
def test_only_the_value_changes_and_means_what_was_wanted(
    written: Written, wanted: Weights, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(written.spans) - 1))
    start, end = written.spans[index]
    loaded = load_text(written.text)
    if ">-" in written.text[start:end] and len(wanted) > 1:
        # The one thing in these files that has no room for percentages.
        with pytest.raises(EditError):
            edit(loaded, {index: wanted})
        return
    after = edit(loaded, {index: wanted})
    line_end = re.compile("[^\r\n]*").match(written.text, end).end()  # type: ignore[union-attr]
    trail, rest = written.text[end:line_end], written.text[line_end:]
    assert after.text.startswith(written.text[:start])
    assert after.text.endswith(rest)
    # One more line in a block comes behind what stands at the end of its last line.
    assert trail in after.text[start : len(after.text) - len(rest)]
    # Read again by itself, and not as the editor did.
    routes = load_text(after.text.encode()).config.routes
    assert serving(routes[index].weights) == dict(wanted)
    for other, (old, new) in enumerate(zip(loaded.config.routes, routes, strict=True)):
        assert old.model_copy(update={"to": ""}) == new.model_copy(update={"to": ""})
        assert other == index or old == new


@given(files(), weights(), st.data())
def test_numbers_that_change_back_leave_no_trace(written: Written, wanted: Weights, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(written.spans) - 1))
    loaded = load_text(written.text)
    before = loaded.config.routes[index].weights
    # Only where no name has to come or go.
    shares = dict(zip((name for name, _ in before), (weight for _, weight in wanted), strict=False))
    if len(before) < 2 or len(shares) != len(before) or sum(shares.values()) != 10_000:
        return
    there = edit(loaded, {index: tuple(shares.items())})
    assert edit(there, {index: before}).text == written.text


@given(files(), weights())
def test_what_is_so_already_changes_nothing(written: Written, wanted: Weights) -> None:
    loaded = load_text(written.text)
    if not any(">-" in written.text[start:end] for start, end in written.spans):
        once = edit(loaded, dict.fromkeys(range(len(written.spans)), wanted))
        assert edit(once, dict.fromkeys(range(len(written.spans)), wanted)).text == once.text


@pytest.mark.parametrize(
    ("value", "to_new", "quarter"),
    [
        ("legacy", "new", "{legacy: 75, new: 25}"),
        ("'legacy' # moved in May", "'new' # moved in May", "{legacy: 75, new: 25} # moved in May"),
        ("{legacy: 90, new: 10}", "new", "{legacy: 75, new: 25}"),
        ("{ new : 10.0,   legacy: 90 }", "new", "{ new : 25,   legacy: 75 }"),
        ("{legacy: 100}", "new", "{legacy: 75, new: 25}"),
        ("{third: 100,}", "new", "{third: 0, legacy: 75, new: 25,}"),
        ("\n      legacy: 90\n      new: 10", "new", "\n      legacy: 75\n      new: 25"),
        (
            "\n      legacy: 90 # the old shop\n      new: 10",
            "\n      legacy: 0 # the old shop\n      new: 100",
            "\n      legacy: 75 # the old shop\n      new: 25",
        ),
        (
            "\n      third: 100 # for now",
            "new # for now",
            "\n      third: 0 # for now\n      legacy: 75\n      new: 25",
        ),
        (
            "{\n      legacy: 99.5,\n      third: 0.5\n    }",
            "new",
            "{\n      legacy: 75,\n      third: 0,\n      new: 25\n    }",
        ),
        ("&canary {legacy: 90, new: 10}", "&canary new", "&canary {legacy: 75, new: 25}"),
        ("!!str legacy", "!!str new", "{legacy: 75, new: 25}"),
        ("&a !!str legacy", "&a !!str new", "&a {legacy: 75, new: 25}"),
    ],
)
def test_each_style_stays_as_far_as_it_can(value: str, to_new: str, quarter: str) -> None:
    space = "" if value.startswith("\n") else " "
    text = f"  - path: /a\n    to:{space}{value}\n    methods: [GET]\n"
    for wanted, expected in ((NEW, to_new), (QUARTER, quarter)):
        space = "" if expected.startswith("\n") else " "
        assert edited(text, wanted) == f"  - path: /a\n    to:{space}{expected}\n    methods: [GET]\n"


def test_json_stays_json() -> None:
    text = '[{"path":"/a","to":"legacy"}]'
    assert edited(f"  {text}", QUARTER) == '  [{"path":"/a","to":{"legacy": 75, "new": 25}}]'
    assert edited('  [{"path":"/a","to":{"legacy":90,"new":10}}]', NEW) == '  [{"path":"/a","to":"new"}]'
    assert edited('  [{"path":"/a","to":{"legacy":100}}]', QUARTER) == (
        '  [{"path":"/a","to":{"legacy":75, "new":25}}]'
    )


def test_a_word_that_means_something_else_is_quoted() -> None:
    assert edited("  - {path: /a, to: new}", (("null", 10_000),)) == '  - {path: /a, to: "null"}'
    assert edited("  - {path: /a, to: new}", (("new", 50_00), ("null", 50_00))) == (
        '  - {path: /a, to: {new: 50, "null": 50}}'
    )


def test_a_route_leaves_the_value_it_shares() -> None:
    text = "  - {path: /a, to: &canary {legacy: 90, new: 10}}\n  - {path: /b, to: *canary}\n"
    assert edited(text, NEW, 1) == text.replace("*canary", "new")
    assert edited(text, QUARTER, 1) == text.replace("*canary", "{legacy: 75, new: 25}")


def test_a_value_that_others_share_is_not_touched() -> None:
    text = "  - {path: /a, to: &canary {legacy: 90, new: 10}}\n  - {path: /b, to: *canary}\n"
    with pytest.raises(EditError) as refused:
        edited(text, NEW)
    assert str(refused.value) == (
        "routes.yaml:5:20: line 6 uses this value too, as '*canary'; write it out there first"
    )


def test_all_who_share_a_value_go_together() -> None:
    text = "  - {path: /a, to: &canary {legacy: 90, new: 10}}\n  - {path: /b, to: *canary}\n"
    after = edit(load_text(HEAD + text), {0: NEW, 1: NEW})
    assert [route.to for route in after.config.routes] == ["new", "new"]


def test_a_number_that_another_route_shares_is_not_touched() -> None:
    text = "  - {path: /a, to: {legacy: &l 90, new: 10}}\n  - {path: /b, to: {legacy: *l, new: 10}}\n"
    with pytest.raises(EditError, match="line 6 uses this value too, as '\\*l'"):
        edited(text, QUARTER)
    assert edited(text, QUARTER, 1) == text.replace("*l, new: 10", "75, new: 25")


def test_routes_behind_an_alias_are_not_touched() -> None:
    text = HEAD.replace("routes:\n", "routes: &r\n") + "  - {path: /a, to: legacy}\n"
    assert edit(load_text(text), {0: NEW}).text == text.replace("/a, to: legacy", "/a, to: new")


def test_a_block_has_no_room_for_percentages() -> None:
    text = "  - path: /a\n    to: |-\n      legacy\n"
    assert edited(text, NEW) == text.replace("legacy", "new")
    with pytest.raises(EditError, match=r"^routes.yaml:6:9: this value is written as a block; write it on the line"):
        edited(text, QUARTER)


def test_a_last_line_without_an_end_stays_without() -> None:
    assert edited("  - path: /a\r\n    to:\r\n      legacy: 100", QUARTER) == (
        "  - path: /a\r\n    to:\r\n      legacy: 75\r\n      new: 25"
    )


def test_what_cannot_be_changed_is_said_with_what_to_write() -> None:
    """A key on two lines: to put a value behind its colon would need more than the value changed."""
    text = "  - path: /a\n    to:\n      ? legacy\n      : 100\n"
    with pytest.raises(EditError) as refused:
        edited(text, QUARTER)
    assert str(refused.value) == (
        "routes.yaml:7:7: this value is written in a way that cannot be changed safely; "
        "write 'to: {legacy: 75, new: 25}' there by hand"
    )


def test_variables_of_the_environment_are_left_alone() -> None:
    text = HEAD.replace("l:app", "${LEGACY_APP_THAT_NOBODY_HAS_SET}") + "  - {path: /a, to: legacy}\n"
    after = edit(load_text(text, keep_unset=True), {0: NEW})
    assert after.text == text.replace("/a, to: legacy", "/a, to: new")
