from __future__ import annotations

import pytest

from gateway.config.backend import BackendConfig
from gateway.config.health import HealthCheck, Outliers
from gateway.config.loader import load_text
from tests.config.said import said

OUTLIERS = "off, or a mapping such as {consecutive: 5, eject: 10}"


def text(backend: str) -> str:
    return f"version: 1\ndefault: new\nbackends:\n  new: {{{backend}}}\n"


def of(setting: str) -> list[str]:
    """What is said of a backend with two addresses and this setting, without the place where it begins."""
    return [problem.split(": ", 1)[1] for problem in said(text(f"urls: ['http://a', 'http://b'], {setting}"))]


def backend(setting: str) -> BackendConfig:
    return load_text(text(f"urls: ['http://a', 'http://b'], {setting}")).config.backends["new"]


def test_checks_are_off_unless_there_is_a_path_to_ask() -> None:
    assert backend("queue: 1").health is None
    assert backend("health: {path: '/healthz?deep=1'}").health == HealthCheck(
        path="/healthz?deep=1", every=5, timeout=2, healthy_after=2, unhealthy_after=3
    )


def test_outliers_are_left_out_unless_that_is_off() -> None:
    assert backend("queue: 1").outliers is None
    assert backend("outliers: off").outliers == "off"
    assert backend("outliers: {consecutive: 3}").outliers == Outliers(consecutive=3, eject=10, slow_start=30)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("health: /x", "'health' must be a mapping, such as {path: /healthz}; write {path: \"/x\"}"),
        ("health: {}", "'health' has no 'path': name what to ask, such as /healthz"),
        ("health: {path: x}", "'path' must be a path and its query, such as /healthz, not 'x'"),
        ("health: {path: '/a#b'}", "'path' must be a path and its query, such as /healthz, not '/a#b'"),
        ("health: {path: /a b}", "'path' must be a path and its query, such as /healthz, not '/a b'"),
        ("health: {path: /a, every: 0}", "'every' must be a number of seconds from 0.1 to 3600, not 0"),
        ("health: {path: /a, interval: 5}", "unknown key 'interval'; did you mean 'every'?"),
        ("health: {path: /a, fall: 5}", "unknown key 'fall'; did you mean 'unhealthy_after'?"),
        ("health: {path: /a, healthy_after: 0}", "'healthy_after' must be a whole number from 1 to 100, not 0"),
        ("health_check: {path: /a}", "unknown key 'health_check'; did you mean 'health'?"),
        ("outliers: of", f"'outliers' must be {OUTLIERS}, not 'of'; did you mean 'off'?"),
        ("outliers: false", f"'outliers' must be {OUTLIERS}, not false"),
        ("outliers: {consecutive: 0}", "'consecutive' must be a whole number from 1 to 10000, not 0"),
        ("outliers: {error_ratio: 50}", "'error_ratio' must be a number above 0 and up to 1, such as 0.5, not 50"),
        ("outliers: {max_fails: 3}", "unknown key 'max_fails'; did you mean 'consecutive'?"),
    ],
)
def test_a_mistake_is_told(setting: str, message: str) -> None:
    assert of(setting) == [message]


@pytest.mark.parametrize("address", ["url: 'http://a'", "urls: ['http://a']"])
def test_one_address_cannot_be_an_outlier(address: str) -> None:
    [problem] = said(text(f"{address}, outliers: off"))
    assert problem.endswith("'outliers' is for several addresses; 'new' has one")


@pytest.mark.parametrize("key", ["health: {path: /a}", "outliers: off"])
def test_an_app_in_this_process_has_neither(key: str) -> None:
    [problem] = said(text(f"app: 'a:b', {key}"))
    assert problem.endswith(f"'{key.partition(':')[0]}' is for remote apps; 'new' is an 'app'")
