from __future__ import annotations

import pytest

from gateway.config.loader import load_text
from tests.config.said import BACKENDS, said


def of(backend: str) -> list[str]:
    text = f"version: 1\ndefault: new\nbackends:\n  new: {{{backend}}}\n"
    return [problem.removeprefix("routes.yaml:4:") for problem in said(text)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lagacy", "unknown backend 'lagacy'; did you mean 'legacy'?"),
        ("NEW", "unknown backend 'NEW'; did you mean 'new'?"),
        ("other", "unknown backend 'other'; known are legacy and new"),
    ],
)
def test_the_default_is_a_backend(name: str, message: str) -> None:
    assert said(BACKENDS.replace("default: legacy", f"default: {name}")) == [f"routes.yaml:5:10: {message}"]


def test_known_backends_are_listed_in_order_and_not_all_of_a_hundred() -> None:
    backends = "".join(f"  b{n:03}: {{app: 'a:b'}}\n" for n in reversed(range(100)))
    [problem] = said(f"version: 1\ndefault: x\nbackends:\n{backends}")
    assert problem.endswith("known are b000, b001, b002, b003, b004, b005, b006, b007, b008 and b009")


def test_each_backend_has_an_address() -> None:
    assert of("") == ["8: 'new' has no 'app'; write where it is, such as app: \"module:app\""]
    assert of("threads: 3") == ["8: 'new' has no 'app'; write where it is, such as app: \"module:app\""]


def test_each_backend_has_one_address() -> None:
    assert "21: 'new' has app and url; give one of them" in of("app: 'a:b', url: 'http://x'")
    assert "34: 'new' has url and urls; give one of them" in of("url: 'http://127.0.0.1', urls: ['http://127.0.0.1']")


def test_a_broken_address_is_an_address() -> None:
    assert of("app: 5") == ["14: 'app' must be text, such as \"module:app\", not 5; put it in quotes"]


def test_a_backend_whose_app_is_handed_over_needs_no_address() -> None:
    for backend in ("{}", "{url: 'http://x'}", "{app: 'a:b'}"):
        text = f"version: 1\ndefault: new\nbackends: {{new: {backend}}}\n"
        assert load_text(text, provided={"new"}).config.default == "new"


def test_apps_are_import_strings() -> None:
    assert of("app: shop.main") == ["14: 'shop.main' names no attribute; did you mean 'shop:main'?"]


def test_a_remote_app_has_its_own_settings() -> None:
    remote = "url: 'http://127.0.0.1:5000', connections: 9, keepalive: 3, host: upstream, rewrite: false, queue: 0"
    assert of(f"{remote}, underscores: keep, timeouts: {{head: 1.5, total: 9}}, tls: {{verify: false}}") == []
    assert of("app: 'a:b', keepalive: 3") == ["21: 'keepalive' is for remote apps; 'new' is an 'app'"]
    assert of("url: 'unix:/run/x', threads: 3") == ["29: 'threads' is for apps in this process; 'new' is a remote one"]


def test_of_an_app_in_this_process_only_the_answer_can_be_late() -> None:
    assert of("app: 'a:b', timeouts: {head: 1, idle: 2}") == []
    assert of("app: 'a:b', timeouts: {head: 1, connect: 2, total: 3}") == [
        "41: 'connect' is for remote apps; 'new' is an 'app', which has 'head' and 'idle'",
        "53: 'total' is for remote apps; 'new' is an 'app', which has 'head' and 'idle'",
    ]


def test_settings_of_a_remote_app_have_limits() -> None:
    seconds = "a number of seconds, above 0 and up to 86400 (a day)"
    for given, message in (
        ("timeouts: {head: 0}", f"head' must be {seconds}, not 0"),
        ("timeouts: {reading: 5}", "unknown key 'reading'; the keys here are connect, send, head, idle or total"),
        ("connections: 0", "'connections' must be a whole number from 1 to 65535, not 0"),
        ("host: pass", "'host' must be keep or upstream, not 'pass'"),
        ("tls: {verify: 1}", "'verify' must be true or false, not 1"),
    ):
        [problem] = of("url: 'http://a', " + given)
        assert message in problem


def test_urls_are_addresses() -> None:
    assert "14: '127.0.0.1:5000' is not an address; it begins with http://, https:// or unix:/" in of(
        "url: '127.0.0.1:5000'"
    )
    assert "28: 'x' is not an address; it begins with http://, https:// or unix:/" in of("urls: ['http://a', x]")
