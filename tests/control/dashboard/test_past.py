from __future__ import annotations

import pytest

from gateway.control.dashboard.past import past, undo
from gateway.history.entry import Entry, Origin


def entry(version: int, origin: Origin = "file", user: str = "", undone_to: int | None = None) -> Entry:
    return Entry(version, f"digest-{version}", 1_700_000_000.0 + version, origin, user, "", "changes", undone_to)


def test_the_newest_version_comes_first_and_knows_the_one_before() -> None:
    assert [(each.version, each.previous) for each in past([entry(4), entry(5), entry(7)])] == [
        (7, 5),
        (5, 4),
        (4, None),
    ]
    assert past([]) == []


@pytest.mark.parametrize(
    ("origin", "user", "who"),
    [
        ("start", "", "a start of the gateway"),
        ("file", "", "an edit of the file"),
        ("command", "alice", "alice (the command line)"),
        ("api", "", "dashboard or API"),
    ],
)
def test_who_brought_a_version(origin: Origin, user: str, who: str) -> None:
    assert past([entry(1, origin, user)])[0].who == who


def test_undo_names_the_version_that_it_goes_back_to() -> None:
    found = undo([entry(1), entry(2), entry(3)], "routes.yaml", refused=False)
    assert found is not None
    assert (found.text, "version 2" in found.title) == ("Undo", True)


def test_a_second_undo_goes_further_back_and_not_forward_again() -> None:
    found = undo([entry(1), entry(2), entry(3, undone_to=1)], "routes.yaml", refused=False)
    assert found is None
    found = undo([entry(1), entry(2), entry(3), entry(4, undone_to=2)], "routes.yaml", refused=False)
    assert found is not None
    assert "version 1" in found.title


def test_the_first_version_cannot_be_undone() -> None:
    assert undo([entry(1)], "routes.yaml", refused=False) is None
    assert undo([], "routes.yaml", refused=False) is None


def test_a_refused_file_is_restored_from_what_is_live() -> None:
    found = undo([entry(1)], "routes.yaml", refused=True)
    assert found is not None
    assert found.text == "Restore routes.yaml"
    assert "version 1, which is live" in found.title
