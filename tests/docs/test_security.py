"""Every promise of docs/security.md names a test, and every test that is named exists."""

from __future__ import annotations

import re

import pytest

from tests.behaviour.process import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_is_named_exists(file: str, name: str) -> None:
    source = (ROOT / file).read_text()
    assert re.search(rf"^\s*(?:async )?def {name}\(" if name else r"^\s*(?:async )?def test_", source, re.MULTILINE)


def test_every_promise_is_held_by_a_test() -> None:
    tables = TEXT.split("| promise | held by |")[1:]
    promises = [row for table in tables for row in table.split("\n\n")[0].splitlines()[2:]]
    assert len(promises) > 30
    assert [row for row in promises if not re.search(r"\| `tests/[^|]*\|$", row)] == []
