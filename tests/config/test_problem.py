from __future__ import annotations

from gateway.config.problem import MOST_PROBLEMS, ConfigError, Problem


def test_problems_are_in_the_order_of_the_file_and_once_each() -> None:
    first, second, third = Problem("f", 2, 9, "b"), Problem("f", 2, 10, "a"), Problem("f", 10, 1, "c")
    error = ConfigError([third, first, second, first])
    assert error.problems == (first, second, third)
    assert str(error) == "f:2:9: b\nf:2:10: a\nf:10:1: c"


def test_a_problem_without_a_line_names_only_its_source() -> None:
    assert str(Problem("routes[2].to", 0, 0, "wrong")) == "routes[2].to: wrong"


def test_of_very_many_problems_the_first_are_kept() -> None:
    error = ConfigError(Problem("f", line, 1, "x") for line in range(1, 10_000))
    assert len(error.problems) == MOST_PROBLEMS + 1
    assert str(error.problems[-1]) == f"f:{MOST_PROBLEMS + 1}:1: and more problems from here on"
