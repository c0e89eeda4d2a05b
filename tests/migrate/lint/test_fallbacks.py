from __future__ import annotations

import pytest

from tests.migrate.lint.shop import HEAD, told

DEFAULTS = HEAD + "defaults: {fallback: legacy}\n"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (
            "methods: [GET, POST], to: new, fallback: {to: legacy, repeatable: true}",
            ["POST may be done by both apps: fallback to 'legacy', repeatable"],
        ),
        ("methods: [GET], to: new, fallback: {to: legacy, repeatable: true}", []),
        # Twice is as good as once (RFC 9110, 9.2.2).
        ("methods: [PUT], to: new, fallback: {to: legacy, repeatable: true}", []),
        ("methods: [POST], to: new, fallback: legacy", []),
    ],
)
def test_done_twice(route: str, expected: list[str]) -> None:
    assert told("SG801", None, None, f"  - {{path: /b, {route}}}\n") == expected


@pytest.mark.parametrize(
    ("head", "route", "expected"),
    [
        (HEAD, "methods: [PUT, POST], to: new, fallback: legacy", ["note: POST, PUT with a fallback to 'legacy'"]),
        (DEFAULTS, "methods: [PUT], to: new", ["note: PUT with a fallback to 'legacy'"]),
        (DEFAULTS, "methods: [PUT], to: new, fallback: none", []),
        (HEAD, "methods: [GET], to: new, fallback: legacy", []),
        (HEAD, "methods: [PUT], to: legacy, fallback: legacy", []),
        (HEAD, "methods: [PUT], to: new", []),
    ],
)
def test_a_fallback_of_writes(head: str, route: str, expected: list[str]) -> None:
    assert told("SG802", None, None, f"  - {{path: /b, {route}}}\n", head) == expected
