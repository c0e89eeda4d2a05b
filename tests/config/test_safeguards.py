from __future__ import annotations

import pytest

from gateway.config.loader import load_text
from gateway.config.safeguards import Safeguards, safeguards
from gateway.config.survival import Breaker, Fallback

NOTHING = Safeguards(None, None, None)


def of(route: str, backend: str = "new", *, defaults: str = "", breaker: str = "") -> Safeguards:
    own = f", breaker: {breaker}" if breaker else ""
    text = f"""\
version: 1
backends: {{legacy: {{app: "l:app"}}, new: {{app: "n:app"{own}}}}}
default: legacy
defaults: {{{defaults}}}
routes: [{{path: /a, {route}}}]
"""
    config = load_text(text).config
    return safeguards(config, config.routes[0], backend)


def test_nothing_unless_it_is_asked_for() -> None:
    assert of("to: new") == NOTHING
    assert not NOTHING


def test_a_fallback_comes_with_a_breaker() -> None:
    assert of("to: new, fallback: legacy") == Safeguards(Fallback(to="legacy"), Breaker(), "legacy")
    assert of("to: new, fallback: legacy, breaker: off") == Safeguards(Fallback(to="legacy"), None, "legacy")


def test_that_of_all_routes() -> None:
    assert of("to: new", defaults="fallback: legacy").fallback == Fallback(to="legacy")
    assert of("to: new, fallback: none", defaults="fallback: legacy") == NOTHING


def test_nobody_falls_back_to_himself() -> None:
    assert of("to: {legacy: 50, new: 50}, fallback: legacy", "legacy") == NOTHING


@pytest.mark.parametrize(("to", "instead"), [("new", None), ("{new: 100}", None), ("{legacy: 50, new: 50}", "legacy")])
def test_who_has_the_share_of_a_backend_that_is_left_alone(to: str, instead: str | None) -> None:
    assert of(f"to: {to}, breaker: {{open: 5}}") == Safeguards(None, Breaker(open=5), instead)


def test_a_route_s_breaker_goes_before_the_backend_s_and_is_not_for_the_default() -> None:
    assert of("to: new, breaker: closed", breaker="open").breaker == "closed"
    assert of("to: new", breaker="open").breaker == "open"
    assert of("to: {legacy: 50, new: 50}, breaker: open", "legacy") == NOTHING


def test_what_no_route_names_has_the_breaker_of_its_backend() -> None:
    config = load_text(
        'version: 1\nbackends: {legacy: {app: "l:app", breaker: {open: 5}}}\ndefault: legacy\n'
        "defaults: {fallback: legacy}\n"
    ).config
    assert safeguards(config, None, "legacy") == Safeguards(None, Breaker(open=5), None)
