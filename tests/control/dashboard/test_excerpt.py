from __future__ import annotations

import pytest

from gateway.control.dashboard.excerpt import Line, excerpt

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\n"


def test_the_line_is_marked_and_has_two_around_it() -> None:
    assert excerpt(TEXT, ["routes.yaml:4:9: unknown backend 'lagacy'", "routes.yaml:6:1: another"]) == (
        Line(2, "two", False),
        Line(3, "three", False),
        Line(4, "four", True),
        Line(5, "five", False),
        Line(6, "six", False),
    )


@pytest.mark.parametrize(("line", "numbers"), [(1, [1, 2, 3]), (6, [4, 5, 6])])
def test_the_file_ends_where_it_ends(line: int, numbers: list[int]) -> None:
    assert [each.number for each in excerpt(TEXT, [f"routes.yaml:{line}:1: wrong"])] == numbers


@pytest.mark.parametrize(
    "problems", [[], ["routes.yaml: no such file"], ["routes.yaml:7:1: wrong"], ["routes.yaml:0:0: x"]]
)
def test_without_a_line_that_is_there_nothing_is_shown(problems: list[str]) -> None:
    assert excerpt(TEXT, problems) == ()


def test_a_name_with_colons_and_a_long_line_do_no_harm() -> None:
    (only,) = excerpt("x" * 1000, ["a:b.yaml:1:5: wrong"])
    assert (only.number, len(only.text)) == (1, 200)
