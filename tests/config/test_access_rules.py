from __future__ import annotations

import pytest

from tests.config.said import BACKENDS, said


def of(line: str) -> list[str]:
    return [problem.removeprefix("routes.yaml:6:") for problem in said(BACKENDS + line + "\n")]


@pytest.mark.parametrize("line", ["override: {}", "override: {header: X-B}"])
def test_an_override_is_guarded(line: str) -> None:
    assert of(line) == ["1: 'override' lets anybody choose; it needs 'allow' (addresses), 'secret' or both"]


@pytest.mark.parametrize(
    "line",
    [
        "override: {allow: [127.0.0.1]}",
        "override: {secret: long enough}",
        "override: {allow: ['::1'], secret: 12345678x}",
    ],
)
def test_a_guarded_override_is_good(line: str) -> None:
    assert of(line) == []


def test_a_broken_guard_is_one_mistake() -> None:
    assert of("override: {allow: 127.0.0.1}") == [
        "19: 'allow' must be a list of addresses or networks, such as [\"10.0.0.0/8\"], not '127.0.0.1'"
    ]


def test_networks_are_valid() -> None:
    assert of("override: {allow: [127.0.0.1, 10.0.0.1/8]}") == [
        "31: '10.0.0.1/8' is an address within a network; did you mean '10.0.0.0/8' or '10.0.0.1'?"
    ]
    assert of("trusted_proxies: ['*']") == [
        "19: '*' is not an address or network; every address is '0.0.0.0/0' and '::/0'"
    ]


def test_two_things_do_not_share_a_cookie() -> None:
    assert of("override: {secret: long enough, cookie: strangler_id}") == [
        "41: 'strangler_id' is the name of the sticky cookie too; choose another name"
    ]


@pytest.mark.parametrize("name", ["session", "remember_token", "csrftoken"])
def test_a_cookie_of_the_apps_is_left_alone(name: str) -> None:
    message = f"'{name}' is a cookie that the apps set themselves; choose another name"
    assert of(f"sticky_cookie: {{name: {name}}}") == [f"23: {message}"]
    assert of(f"override: {{secret: long enough, cookie: {name}}}") == [f"41: {message}"]


def test_sticky_by_an_app_s_cookie_is_what_it_is_for() -> None:
    assert of("defaults: {sticky: 'cookie:session'}") == []


def test_the_gateway_s_own_cookie_needs_no_name() -> None:
    assert of("defaults: {sticky: 'cookie:strangler_id'}") == [
        "20: 'strangler_id' is the gateway's own sticky cookie; write 'sticky: cookie'"
    ]


@pytest.mark.parametrize(
    ("sticky", "kind"), [("cookie:gateway_backend", "cookie"), ("header:x-gateway-backend", "header")]
)
def test_a_split_does_not_go_by_what_overrides_it(sticky: str, kind: str) -> None:
    text = BACKENDS + f"override: {{secret: long enough}}\nroutes:\n  - {{path: /a, to: new, sticky: '{sticky}'}}\n"
    name = sticky.partition(":")[2]
    assert said(text) == [f"routes.yaml:8:33: '{name}' chooses the backend in 'override'; sticky needs another {kind}"]
    assert said(text.replace("override: {secret: long enough}\n", "")) == []


def test_a_domain_is_one() -> None:
    assert of("sticky_cookie: {domain: example.com}") == []
    assert of("sticky_cookie: {domain: .example.com}") == [
        "25: '.example.com' covers its subdomains by itself; write 'example.com'"
    ]
