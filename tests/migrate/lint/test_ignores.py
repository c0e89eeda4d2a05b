from __future__ import annotations

import pytest

from gateway.migrate.lint.ignores import Ignore, ignores


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1 # lint: ignore SG101\n", [("SG101", 1, 1)]),
        ("a: 1 # lint:ignore sg101,SG2\n", [("SG101", 1, 1), ("SG2", 1, 1)]),
        ("# lint: ignore SG101, SG102: nobody asks so\na: 1\n", [("SG101", 1, 2), ("SG102", 1, 2)]),
        ("# lint: ignore SG101\n\n# more\na: 1\n", [("SG101", 1, 4)]),
        ("a:\r\n  # lint: ignore SG101\r\n  b: 1\r\n", [("SG101", 2, 3)]),
        ("a: 1 # lint: ignore\n", [("", 1, 1)]),
        ("a: 1 # lint: ignore everything\n", [("", 1, 1)]),
        ("a: 1\n# lint: ignore SG101", [("SG101", 2, 2)]),
        # No comments.
        ('a: "x # lint: ignore SG101"\n', []),
        ("a: |\n  # lint: ignore SG101\n", []),
        ("a: x#lint:ignore SG101\n", []),
        ("a: 1 # lint: ignored\n", []),
        ("a: 1\n", []),
    ],
)
def test_comments(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert [(each.code, each.line, each.about) for each in ignores(text)] == expected


def test_where_a_comment_stands() -> None:
    assert list(ignores("a: 1\nb: 2  # lint: ignore SG101\n")) == [Ignore("SG101", 2, 7, 2)]
