"""docs/lint.md has every code, and tells of it what the rule says itself."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.migrate.lint.rules import RULES

ROOT = Path(__file__).resolve().parents[3]
TESTS = Path(__file__).parent


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch("SG[0-9]{3}", code) for code in codes)


def test_the_table_is_complete() -> None:
    rows = re.findall(r"^\| (SG\d+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "lint.md").read_text(), re.MULTILINE)
    assert rows == [(rule.code, rule.title, ", ".join(rule.needs) or "-") for rule in RULES]


def test_each_says_why_and_what_to_do() -> None:
    for rule in RULES:
        assert rule.why.endswith(".")
        assert not rule.remedy.endswith(".")


def test_each_has_a_test() -> None:
    tested = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert [rule.code for rule in RULES if f'"{rule.code}"' not in tested] == []
