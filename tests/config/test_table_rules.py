from __future__ import annotations

import time

import pytest

from tests.config.said import FIRST, said_of


def line(number: int) -> str:
    return f"line {FIRST + number - 1}"


def test_routes_that_tie_name_both_lines() -> None:
    assert said_of("- {path: '/a/{x}', to: new}\n- {path: /b, to: new}\n- {path: '/a/{y}', to: legacy}") == [
        f"3:3: this route ties with the route on {line(1)} ('/a/{{x}}'): "
        "some requests match both, and neither is more specific"
    ]


def test_routes_that_share_a_method_tie() -> None:
    [problem] = said_of("- {path: /a, methods: [GET, PUT], to: new}\n- {path: /a, methods: [POST, PUT], to: new}")
    assert problem.startswith(f"2:3: this route ties with the route on {line(1)} ('GET,PUT /a')")


def test_the_same_route_twice_is_one_mistake() -> None:
    assert len(said_of("- {path: /a, methods: [GET], to: new}\n- {path: /a, methods: [GET], to: legacy}")) == 1


@pytest.mark.parametrize(
    "second",
    [
        "{path: /a/, to: new}",
        "{path: /a, methods: [GET], to: new}",
        "{path: /a, host: a.example, to: new}",
        "{path: /a, headers: {X-V: '1'}, to: new}",
        "{path: /a, query: {v: true}, to: new}",
    ],
)
def test_routes_of_which_one_is_more_specific(second: str) -> None:
    assert said_of(f"- {{path: /a, to: new}}\n- {second}") == []


def test_what_is_broken_might_have_told_them_apart() -> None:
    [problem] = said_of("- {path: /a, to: new}\n- {path: /a, methds: [GET], to: legacy}")
    assert "unknown key 'methds'" in problem


def test_names_are_unique() -> None:
    assert said_of("- {path: /a, to: new, name: x}\n- {path: /b, to: new, name: x}") == [
        f"2:29: the name 'x' is taken by the route on {line(1)}"
    ]


def test_a_name_is_not_what_another_route_is_called_without_one() -> None:
    assert said_of("- {path: /a, methods: [GET], to: new}\n- {path: /b, to: new, name: GET /a}") == [
        f"2:29: the name 'GET /a' is taken by the route on {line(1)}"
    ]
    assert said_of("- {path: /b, to: new, name: GET /a}\n- {path: /a, methods: [GET], to: new}") == [
        f"2:3: the name 'GET /a' is taken by the route on {line(1)}; give it a 'name'"
    ]


def test_a_group_has_one_sticky() -> None:
    split = "to: {legacy: 50, new: 50}, group: g"
    assert said_of(f"- {{path: /a, {split}}}\n- {{path: /b, {split}, sticky: ip}}\n- {{path: /c, {split}}}") == [
        f"2:59: 'sticky' is ip here, but cookie in the route on {line(1)} of the same group 'g'"
    ]


def test_the_default_counts_as_a_route_s_sticky() -> None:
    assert said_of("- {path: /a, to: new, group: g, sticky: ip}\n- {path: /b, to: new, group: g}") == [
        f"2:30: 'sticky' is cookie here, but ip in the route on {line(1)} of the same group 'g'"
    ]


@pytest.mark.parametrize(("kind", "alike"), [("header", True), ("cookie", False)])
def test_names_of_headers_but_not_of_cookies_are_the_same_in_any_case(kind: str, alike: bool) -> None:
    problems = said_of(
        f"- {{path: /a, to: new, group: g, sticky: '{kind}:X-User'}}\n"
        f"- {{path: /b, to: new, group: g, sticky: '{kind}:x-user'}}"
    )
    assert (problems == []) == alike


def test_different_percentages_in_a_group_are_allowed() -> None:
    """The client's point is one for all; each route cuts it where it says."""
    assert said_of("- {path: /a, to: {legacy: 90, new: 10}, group: g}\n- {path: /b, to: new, group: g}") == []


def test_a_group_cannot_be_decided_request_by_request() -> None:
    assert said_of("- {path: /a, to: new, group: g, sticky: none}") == [
        "1:41: 'sticky: none' decides each request on its own, so group 'g' cannot hold"
    ]


def test_thousands_of_copies_are_refused_quickly() -> None:
    begun = time.process_time()
    assert len(said_of("- {path: /a, to: new}\n" * 5000)) > 100
    assert time.process_time() - begun < 2
