from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.interpolate import interpolate
from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from tests.config.said import BACKENDS, said

SECRET = "correct horse battery"


def app(text: str) -> dict[str, Any]:
    return {"backends": {"new": {"app": text}}}


def replaced(text: str, **env: str) -> str:
    data, findings = interpolate(app(text), env)
    assert findings == []
    assert isinstance(data, dict)
    return str(data["backends"]["new"]["app"])


def complaint(text: str, **env: str) -> str:
    data, [finding] = interpolate(app(text), env)
    assert data == app(text)
    assert finding.path == ("backends", "new", "app")
    return finding.message


def test_a_variable() -> None:
    assert replaced("${MODULE}:app", MODULE="shop") == "shop:app"


def test_several() -> None:
    assert replaced("${A}-${B}${A}", A="x", B="y") == "x-yx"


@pytest.mark.parametrize("env", [{}, {"A": ""}])
def test_a_default_for_what_is_unset_or_empty(env: dict[str, str]) -> None:
    assert replaced("${A:-shop:create_app()}", **env) == "shop:create_app()"


def test_an_empty_default() -> None:
    assert replaced("x${A:-}y") == "xy"


def test_a_default_that_is_not_needed() -> None:
    assert replaced("${A:-shop}", A="store") == "store"


def test_what_comes_from_the_environment_is_not_replaced_again() -> None:
    assert replaced("${A}", A="${B}", B="x") == "${B}"


def test_an_escape() -> None:
    assert replaced("$${A} $${", A="x") == "${A} ${"


def test_other_dollars_are_themselves() -> None:
    assert replaced("$A $ $$ ${B}", B="$") == "$A $ $$ $"


def test_an_unset_variable() -> None:
    assert complaint("${APP}") == "the environment variable 'APP' is not set; set it, or write ${APP:-default}"
    assert complaint("${LEGACY_AP}", LEGACY_APP="x") == (
        "the environment variable 'LEGACY_AP' is not set; did you mean 'LEGACY_APP'?"
    )


def test_an_empty_variable_is_as_good_as_unset() -> None:
    assert complaint("${Q}", Q="").startswith("the environment variable 'Q' is empty;")


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A:b}", "${A", "${ A }"])
def test_what_begins_like_a_reference_and_is_none(text: str) -> None:
    assert complaint(text, A="x") == "'${' begins no ${VAR} or ${VAR:-default}; write '$${' for itself"


def test_everywhere_it_is_allowed() -> None:
    data = {"backends": {"a": {"url": "${X}", "urls": ["${X}", "b"]}}, "override": {"secret": "${X}"}}
    assert interpolate(data, {"X": "x"}) == (
        {"backends": {"a": {"url": "x", "urls": ["x", "b"]}}, "override": {"secret": "x"}},
        [],
    )
    assert data["backends"]["a"]["url"] == "${X}", "what was read stays as it is"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("routes: [{path: '/${X}', to: new}]\n", "6:17"),
        ("routes: [{path: /a, to: '${X}'}]\n", "6:25"),
        ("routes: [{path: /a, to: {'${X}': 100}}]\n", "6:26"),
        ("trusted_proxies: ['${X}']\n", "6:19"),
        ("sticky_cookie: {name: '${X}'}\n", "6:23"),
        ("override: {secret: long enough, header: '${X}'}\n", "6:41"),
        ("'${X}': 1\n", "6:1"),
    ],
)
def test_nowhere_else(text: str, place: str) -> None:
    assert said(BACKENDS + text, {"X": "new"}) == [
        f"routes.yaml:{place}: '${{' is replaced only in backend addresses (app, url, urls) and in override.secret; "
        "write '$${' for itself"
    ]


def test_an_escape_is_one_everywhere() -> None:
    text = BACKENDS + "routes:\n  - {path: /a, to: new, headers: {X-Price: '$${5}'}}\n"
    assert load_text(text, env={}).config.routes[0].headers == {"X-Price": "${5}"}


def test_of_what_cannot_be_replaced_nothing_else_is_said() -> None:
    text = "version: 1\nbackends: {new: {app: '${APP}'}}\ndefault: new\noverride: {secret: '${S}'}\n"
    assert said(text) == [
        "routes.yaml:2:23: the environment variable 'APP' is not set; set it, or write ${APP:-default}",
        "routes.yaml:4:20: the environment variable 'S' is not set; set it, or write ${S:-default}",
    ]


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("app: '${V}'", "2:23: '${V}' names no attribute; write 'module:attribute'"),
        ("url: 'http://${V}'", "2:23: 'http://${V}' has a user name or password in it, which backends cannot be given"),
        (
            "urls: ['http://${V}']",
            "2:25: 'http://${V}' has a user name or password in it, which backends cannot be given",
        ),
    ],
)
def test_a_value_of_the_environment_is_in_no_message(backend: str, expected: str) -> None:
    text = f"version: 1\nbackends: {{new: {{{backend}}}}}\ndefault: new\n"
    problems = said(text, {"V": "user:hunter2@db" if "url" in backend else "hunter2 x"})
    assert f"routes.yaml:{expected}" in problems
    assert "hunter2" not in "".join(problems)


@pytest.mark.parametrize("line", ["secret: '${S}'", "secret: short", "secret: '${S}', alow: [x]", "secret: 5"])
def test_a_secret_is_in_no_message(line: str) -> None:
    problems = said(BACKENDS + f"override: {{{line}}}\n", {"S": "hunter2"})
    assert problems
    assert "hunter2" not in "".join(problems)
    assert "short" not in "".join(problems)


def test_a_secret_is_in_no_repr() -> None:
    loaded = load_text(BACKENDS + "override: {secret: '${S}'}\n", env={"S": SECRET})
    assert loaded.config.override is not None
    assert loaded.config.override.secret == SECRET
    assert SECRET not in repr(loaded)


def test_a_dict_that_contains_itself_ends() -> None:
    data: dict[str, Any] = {"a": "${X}"}
    data["self"] = data
    _, findings = interpolate(data, {})
    assert 0 < len(findings) < 100


@given(st.text(alphabet="${}:-AB ", max_size=30))
def test_text_without_references_stays_and_nothing_raises(text: str) -> None:
    data, findings = interpolate(app(text), {"A": "a", "B": ""})
    if "${" not in text:
        assert (data, findings) == (app(text), [])


def test_who_only_changes_routes_needs_no_environment() -> None:
    """A command may run where the gateway's variables are not set: nothing is said of what they stand for."""
    kept: set[tuple[str | int, ...]] = set()
    data, findings = interpolate({**app("${MODULE}:app"), "override": {"secret": "${S}"}}, {}, kept=kept)
    assert findings == []
    assert kept == {("backends", "new", "app"), ("override", "secret")}
    assert isinstance(data, dict)
    assert data["override"]["secret"] == "${S}, which is not set here"
    text = "version: 1\nbackends: {new: {url: '${URL}'}}\ndefault: new\noverride: {secret: '${S}'}\n"
    assert load_text(text, env={}, keep_unset=True).config.default == "new"
    with pytest.raises(ConfigError, match="the environment variable 'URL' is not set"):
        load_text(text, env={})


def test_what_is_wrong_besides_is_told_all_the_same() -> None:
    text = "version: 1\nbackends: {new: {url: '${URL}'}}\ndefault: nwe\n"
    with pytest.raises(ConfigError) as refused:
        load_text(text, env={}, keep_unset=True)
    assert [problem.message for problem in refused.value.problems] == ["unknown backend 'nwe'; did you mean 'new'?"]
