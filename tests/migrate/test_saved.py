from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.migrate.saved import NAME, Saved, from_text, load, to_text
from tests.migrate.samples import TARGETS


def test_there_and_back(tmp_path: Path) -> None:
    text = to_text(12.5, "legacy", "fresh", TARGETS)
    assert from_text(text) == Saved(12.5, "legacy", "fresh", TARGETS)
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    assert load(tmp_path) == Saved(12.5, "legacy", "fresh", TARGETS)


def test_nothing_is_kept(tmp_path: Path) -> None:
    assert load(tmp_path) is None


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"at": "now"}, {"legacy": None}, {"targets": None}, {"targets": [1]}, {"targets": [{}]}]
)
def test_what_is_no_coverage(change: dict[str, object]) -> None:
    data = json.loads(to_text(1.0, "legacy", "new", TARGETS))
    with pytest.raises(ValueError, match="not a"):
        from_text(json.dumps({**data, **change}))
    for text in ("", "[]", "{"):
        with pytest.raises(ValueError, match="not a coverage"):
            from_text(text)
