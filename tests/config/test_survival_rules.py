from __future__ import annotations

import pytest

from gateway.config.loader import load_text
from gateway.config.survival import Breaker, Fallback, fallback_of
from tests.config.said import BACKENDS, routes, said, said_of

FALLBACK = "the name of a backend, none, or a mapping such as {to: legacy, on: [503, connect, timeout]}"
BREAKER = "off, open, closed, or a mapping such as {error_ratio: 0.5, open: 10}"
ON = "a status from 400 to 599, connect or timeout"


def of_defaults(fallback: str) -> list[str]:
    return [
        problem.removeprefix("routes.yaml:6:")
        for problem in said(f"{BACKENDS}defaults: {{fallback: {fallback}}}\nroutes: []\n")
    ]


@pytest.mark.parametrize(
    ("fallback", "message"),
    [
        ("lagacy", "1:33: unknown backend 'lagacy'; did you mean 'legacy'?"),
        ("{to: other}", "1:38: unknown backend 'other'; known are legacy and new"),
        ("5", f"1:33: 'fallback' must be {FALLBACK}, not 5"),
        ("{on: [503]}", "1:33: 'fallback' has no 'to': name the backend that answers instead"),
        ("{to: legacy, on: 503}", "1:50: 'on' must be a list, such as [502, 503, 504, connect, timeout], not 503"),
        ("{to: legacy, on: connect}", "1:50: 'on' must be a list; write [connect]"),
        ("{to: legacy, on: [timeuot]}", f"1:51: 'on' must be {ON}, not 'timeuot'; did you mean 'timeout'?"),
        ("{to: legacy, on: [503, 200]}", f"1:56: 'on' must be {ON}, not 200"),
        ("{to: legacy, on: [503, 404, 503]}", "1:61: 503 is given twice"),
        ("{to: legacy, body: -1}", "1:52: 'body' must be a whole number of bytes from 0 to 16777216, not -1"),
        ("{to: legacy, repeatable: yes}", "1:58: 'repeatable' must be true or false, not 'yes'"),
        ("{to: legacy, when: [503]}", "1:46: unknown key 'when'; the keys here are to, on, body or repeatable"),
    ],
)
def test_of_a_fallback(fallback: str, message: str) -> None:
    assert said_of(f"- {{path: /a, to: new, fallback: {fallback}}}") == [message]


def test_a_fallback_without_a_value_was_not_finished() -> None:
    [problem] = said_of("- {path: /a, to: new, fallback: }")
    assert problem.endswith(": 'fallback' is empty; give it a value, or leave the key out")


def test_of_the_fallback_of_all_routes() -> None:
    assert of_defaults("lagacy") == ["22: unknown backend 'lagacy'; did you mean 'legacy'?"]
    assert of_defaults("{to: legacy, on: [connetc]}") == [
        f"40: 'on' must be {ON}, not 'connetc'; did you mean 'connect'?"
    ]
    assert of_defaults("") == ["22: 'fallback' is empty; give it a value, or leave the key out"]


@pytest.mark.parametrize(
    ("breaker", "message"),
    [
        ("opne", f"{BREAKER}, not 'opne'; did you mean 'open'?"),
        ("false", f"{BREAKER}, not false"),
        ("{error_ratio: 50}", "a number above 0 and up to 1, such as 0.5, not 50"),
        ("{open: 0}", "a number of seconds, above 0 and up to 86400 (a day), not 0"),
        ("{probes: 0}", "a whole number from 1 to 1000, not 0"),
    ],
)  # fmt: skip
def test_of_a_breaker(breaker: str, message: str) -> None:
    [of_route] = said_of(f"- {{path: /a, to: new, breaker: {breaker}}}")
    assert of_route.endswith(f" must be {message}")
    backends = f"version: 1\ndefault: new\nbackends: {{new: {{app: 'a:b', breaker: {breaker}}}}}\n"
    [of_backend] = said(backends)
    assert of_backend.endswith(f" must be {message}")


def test_off_is_a_word_and_no_truth_value() -> None:
    [route] = load_text(routes("- {path: /a, to: new, breaker: off, fallback: none}")).config.routes
    assert (route.breaker, route.fallback) == ("off", "none")


def test_a_route_that_was_rolled_back_keeps_its_fallback() -> None:
    assert said_of("- {path: /a, to: legacy, fallback: legacy}") == []


def test_other_words_for_it() -> None:
    assert said_of("- {path: /a, to: new, failover: legacy}") == [
        "1:23: unknown key 'failover'; did you mean 'fallback'?"
    ]
    assert said_of("- {path: /a, to: new, circuit_breaker: off}") == [
        "1:23: unknown key 'circuit_breaker'; did you mean 'breaker'?"
    ]


def test_what_a_route_s_fallback_comes_to() -> None:
    own = Fallback(to="legacy", on=(404,))
    assert fallback_of(None, None) is None
    assert fallback_of(None, "legacy") == Fallback(to="legacy")
    assert fallback_of("none", own) is None
    assert fallback_of(own, "other") is own


def test_the_settings_of_a_breaker() -> None:
    [route] = load_text(routes("- {path: /a, to: new, breaker: {consecutive: 3}}")).config.routes
    assert route.breaker == Breaker(consecutive=3)
