"""What is said about values of the wrong shape: at the right place, once, and in plain words."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gateway.config.expected import EXPECTED, MISSING, MODELS, OTHER_WORDS
from gateway.config.loader import load_dict
from gateway.config.messages import pattern, place_of, show
from gateway.config.model import METHODS, Config
from gateway.config.problem import ConfigError
from tests.config.said import BACKENDS, said, said_of

TO = "the name of a backend, or percentages such as {legacy: 90, new: 10}"
STICKY = "cookie, cookie:NAME, header:NAME, ip or none"
SECONDS = "a whole number of seconds from 60 to 34560000 (400 days)"
NETWORKS = 'a list of addresses or networks, such as ["10.0.0.0/8"]'
NETWORK = 'an address or network in quotes, such as "10.0.0.0/8"'
PATH = "text of at most 2000 characters, such as /books/{id}"
WANTED = "text, or true for: present, whatever its value"


def of(line: str) -> list[str]:
    """What is said of a file that has this line too, without the part that is the same."""
    return [problem.removeprefix("routes.yaml:6:") for problem in said(BACKENDS + line + "\n")]


def test_a_good_file_has_no_problem() -> None:
    assert said(BACKENDS) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("override: allow", "11: 'override' must be a mapping with 'allow', 'secret' or both, not 'allow'"),
        ("trusted_proxies: 10.0.0.1", f"18: 'trusted_proxies' must be {NETWORKS}, not '10.0.0.1'"),
        ("trusted_proxies: [10]", f"19: 'trusted_proxies' must be {NETWORK}, not 10"),
        ("forwarded: true", "12: 'forwarded' must be x-forwarded, forwarded or both, not true"),
        ("defaults: {sticky: cookies}", f"20: 'sticky' must be {STICKY}, not 'cookies'; did you mean 'cookie'?"),
        ("sticky_cookie: {name: a b}", "23: 'name' must be a cookie name, not 'a b'"),
        ("sticky_cookie: {max_age: 1d}", f"26: 'max_age' must be {SECONDS}, not '1d'"),
        ("sticky_cookie: {max_age: 90.5}", f"26: 'max_age' must be {SECONDS}, not 90.5"),
        ("override: {secret: short}", "20: 'secret' must be text of at least 8 characters"),
        ("override: {allow: []}", f"19: 'allow' must be {NETWORKS}, not an empty list"),
        ("expose: 1", "9: 'expose' must be true or false, not 1"),
        ("tracing: true", "10: 'tracing' must be a mapping, such as {spans: true, sample: 10}, not true"),
        ("tracing: {spans: otlp}", "18: 'spans' must be true or false, not 'otlp'"),
        ("tracing: {sample: 10%}", "19: 'sample' must be a number from 0 to 100, without the % sign"),
        ("tracing: {ratio: 0.1}", "11: unknown key 'ratio'; did you mean 'sample'?"),
        ("opentelemetry: {}", "1: unknown key 'opentelemetry'; did you mean 'tracing'?"),
        ("routes:", "8: 'routes' is empty; it must be a list of routes; [] for none"),
        ("routes: {/books: new}", "9: 'routes' must be a list of routes; [] for none, not a mapping"),
        ("routes: [new]", "10: 'routes' must be a mapping with 'path' and 'to', not 'new'"),
        ("defualts: {}", "1: unknown key 'defualts'; did you mean 'defaults'?"),
        ("upstreams: {}", "1: unknown key 'upstreams'; did you mean 'backends'?"),
        ("x-mine: 1", "1: unknown key 'x-mine'; the keys here are version, backends, default, defaults, sticky_cookie, "
         "websockets, limits, expose, tracing, override, trusted_proxies, forwarded or routes"),
    ],
)  # fmt: skip
def test_of_a_section(line: str, message: str) -> None:
    assert of(line) == [message]


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("x:app", "8: 'new' must be a mapping; write {app: \"x:app\"}"),
        ("[x]", "8: 'new' must be a mapping, such as {app: \"module:app\"}, not a list"),
        ("", "7: 'new' is empty; it must be a mapping, such as {app: \"module:app\"}"),
        ("{app: 5}", "14: 'app' must be text, such as \"module:app\", not 5; put it in quotes"),
        ("{app: 'a:b', threads: many}", "30: 'threads' must be a whole number from 1 to 1024, not 'many'"),
        ("{app: 'a:b', threads: 0}", "30: 'threads' must be a whole number from 1 to 1024, not 0"),
        ("{app: 'a:b', threads: true}", "30: 'threads' must be a whole number from 1 to 1024, not true"),
        ("{app: 'a:b', queue: -1}", "28: 'queue' must be a whole number from 0 to 100000, not -1"),
        (
            "{app: 'a:b', interface: asgj}",
            "32: 'interface' must be auto, asgi or wsgi, not 'asgj'; did you mean 'asgi'?",
        ),
        ("{app: 'a:b', thread: 3}", "21: unknown key 'thread'; did you mean 'threads'?"),
        ("{app: 'a:b', workers: 3}", "21: unknown key 'workers'; did you mean 'threads'?"),
        ("{import: 'a:b'}", "9: unknown key 'import'; did you mean 'app'?"),
    ],
)
def test_of_a_backend(backend: str, message: str) -> None:
    text = f"version: 1\ndefault: new\nbackends:\n  new: {backend}\n"
    assert [problem.removeprefix("routes.yaml:4:") for problem in said(text)] == [message]


@pytest.mark.parametrize(
    ("route", "messages"),
    [
        ("to: new", ["1:3: this route has no 'path'"]),
        ("path: /a", ["1:3: this route has no 'to': name a backend, or percentages such as {legacy: 90, new: 10}"]),
        ("{}", ["1:3: this route has no 'path'",
                "1:3: this route has no 'to': name a backend, or percentages such as {legacy: 90, new: 10}"]),
        ("{path: /a, backend: new}", ["1:14: unknown key 'backend'; did you mean 'to'?"]),
        ("{prefix: /a, to: new}", ["1:4: unknown key 'prefix'; did you mean 'path'?"]),
        ("{path: 5, to: new}", [f"1:10: 'path' must be {PATH}, not 5; put it in quotes"]),
        ("{path: /a, to: 5}", [f"1:18: 'to' must be {TO}, not 5"]),
        ("{path: /a, to: [new]}",
         [f"1:18: 'to' must be {TO}, not a list"]),
        ("{path: /a, to: new 10}",
         [f"1:18: 'to' must be {TO}, not 'new 10'"]),
        ("{path: /a, to: }",
         [f"1:18: 'to' is empty; it must be {TO}"]),
        ("{path: /a, to: {}}",
         [f"1:18: 'to' must be {TO}, not an empty mapping"]),
        ("{path: /a, to: {new: ten}}", ["1:24: 'new' must be a number from 0 to 100, not 'ten'"]),
        ("{path: /a, to: {new: 100%}}", ["1:24: 'new' must be a number from 0 to 100, without the % sign"]),
        ("{path: /a, to: {new: 101}}", ["1:24: 'new' must be a number from 0 to 100, not 101"]),
        ("{path: /a, to: {new: -1}}", ["1:24: 'new' must be a number from 0 to 100, not -1"]),
        ("{path: /a, to: {new: true}}", ["1:24: 'new' must be a number from 0 to 100, not true"]),
        ("{path: /a, to: {new: .nan}}", ["1:24: 'new' must be a number from 0 to 100, not '.nan'"]),
        ("{path: /a, to: {new: 012}}", ["1:24: 'new' must be a number from 0 to 100, not '012'"]),
        ("{path: /a, to: {legacy:90, new:10}}",
         ["1:19: a space is missing after the ':' in 'legacy:90'",
          "1:30: a space is missing after the ':' in 'new:10'"]),
        ("{path: /a, to: {new: {x: 1}}}", ["1:24: 'new' must be a number from 0 to 100, not a mapping"]),
        ("{path: /a, to: new, methods: GET}", ["1:32: 'methods' must be a list; write [GET]"]),
        ("{path: /a, to: new, methods: [GTE]}", ["1:33: unknown method 'GTE'; did you mean 'GET'?"]),
        ("{path: /a, to: new, methods: [get, GET]}", ["1:33: unknown method 'get'; did you mean 'GET'?"]),
        ("{path: /a, to: new, methods: [NO]}",
         ["1:33: unknown method 'NO'; it must be an HTTP method in capital letters, such as GET"]),
        ("{path: /a, to: new, methods: []}",
         ["1:32: 'methods' must be a list, such as [GET, POST], not an empty list"]),
        ("{path: /a, to: new, methods: [1, null]}",
         ["1:33: 'methods' must be an HTTP method in capital letters, such as GET, not 1",
          "1:36: 'methods' is empty; it must be an HTTP method in capital letters, such as GET"]),
        ("{path: /a, to: new, compat: head}", ["1:31: 'compat' must be a list; write [head]"]),
        ("{path: /a, to: new, compat: [heads, json, 1]}",
         ["1:32: 'compat' must be head, options, slashes, int404, errors or json, not 'heads'; did you mean 'head'?",
          "1:45: 'compat' must be head, options, slashes, int404, errors or json, not 1"]),
        ("{path: /a, to: new, compat: [head, json, head]}", ["1:44: head is given twice"]),
        ("{path: /a, to: new, headers: {X-V: 2}}",
         [f"1:38: 'X-V' must be {WANTED}, not 2; put it in quotes"]),
        ("{path: /a, to: new, headers: {X-V: false}}",
         [f"1:38: 'X-V' must be {WANTED}, not false; put it in quotes"]),
        ("{path: /a, to: new, headers: {'X V': a}}", ["1:33: 'X V' cannot be a header name"]),
        ("{path: /a, to: new, headers: [X-V]}",
         ["1:32: 'headers' must be a mapping of header names to values, such as {X-Beta: true}, not a list"]),
        ("{path: /a, to: new, query: {page: 2}}",
         [f"1:37: 'page' must be {WANTED}, not 2; put it in quotes"]),
        ("{path: /a, to: new, name: 12}",
         ["1:29: 'name' must be text of 1 to 200 characters, not 12; put it in quotes"]),
        ("{path: /a, to: new, host: 1.5}",
         ["1:29: 'host' must be a host name, such as shop.example.com, not 1.5; put it in quotes"]),
        ("{path: /a, to: new, group: a b}",
         ["1:30: 'group' must be a name: a letter, then letters, digits, - and _, 64 at most, not 'a b'"]),
        ("{path: /a, to: new, sticky: header}",
         [f"1:31: 'sticky' must be {STICKY}, not 'header'; did you mean 'header:X-User-Id'?"]),
        ("{path: /a, to: new, sticky: 'headr: X-Id'}",
         [f"1:31: 'sticky' must be {STICKY}, not 'headr: X-Id'; did you mean 'header:X-Id'?"]),
        ("{path: /a, to: new, sticky: 'cookie: sid'}",
         [f"1:31: 'sticky' must be {STICKY}, not 'cookie: sid'; did you mean 'cookie:sid'?"]),
        ("{path: /a, to: new, sticky: user}",
         [f"1:31: 'sticky' must be {STICKY}, not 'user'"]),
    ],
)  # fmt: skip
def test_of_a_route(route: str, messages: list[str]) -> None:
    assert said_of(f"- {route}") == messages


def test_of_what_is_missing() -> None:
    assert said("routes: []\n") == [
        "routes.yaml:1:1: 'backends' is missing: name the apps, such as: legacy: {app: \"module:app\"}",
        "routes.yaml:1:1: 'default' is missing: name the backend for what no route matches",
        "routes.yaml:1:1: 'version' is missing; add 'version: 1'",
    ]


@pytest.mark.parametrize("version", ["2", "'1'", "1.1", "v1"])
def test_of_another_version(version: str) -> None:
    [problem] = said(BACKENDS.replace("version: 1", f"version: {version}"))
    assert problem.startswith(
        "routes.yaml:1:10: 'version' must be the number 1, which is the version of the file format"
    )


def test_of_names() -> None:
    assert said("version: 1\ndefault: 9\nbackends: {1st: {app: 'a:b'}}\n") == [
        "routes.yaml:2:10: 'default' must be the name of a backend, not 9",
        "routes.yaml:3:12: '1st' cannot be a backend's name; "
        "it must be a name: a letter, then letters, digits, - and _, 64 at most",
    ]


def test_of_a_dict_with_what_no_file_can_have() -> None:
    data: dict[Any, Any] = {
        "version": 1,
        "backends": {"new": {"app": b"a:b"}, 5: {}},
        "default": "new",
        "defaults": {1.5: "x"},
        "routes": [{"path": "/a", "to": {"new"}}, {"path": "/b", "to": "new", "name": date(2024, 1, 1)}],
    }
    with pytest.raises(ConfigError) as caught:
        load_dict(data)
    assert set(map(str, caught.value.problems)) == {
        "defaults.1.5: a key must be text, not '1.5'",
        "backends[5]: a key must be text, not 5",
        "backends.new.app: 'app' must be text, such as \"module:app\", not a bytes",
        f"routes[0].to: 'to' must be {TO}, not a list",
        "routes[1].name: 'name' must be text of 1 to 200 characters, not a date",
    }


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_of_what_is_no_mapping(data: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        load_dict(data)
    assert str(caught.value) == "config: expected a mapping with 'version', 'backends' and 'default'"


def test_places_of_unions_are_the_user_s() -> None:
    assert place_of({"loc": ("routes", 0, "to", "percentages", "percentages")})[0] == ("routes", 0, "to", "percentages")
    assert place_of({"loc": ("routes", 0, "to", "backend")})[0] == ("routes", 0, "to")
    assert place_of({"loc": ("routes", 0, "headers", "str", "str")})[0] == ("routes", 0, "headers", "str")
    assert place_of({"loc": ("backends", "new", "[key]")}) == (("backends", "new"), True)


def test_the_expected_is_listed_for_every_place() -> None:
    """A new key without words of its own would be explained as "something else"."""
    places: set[str] = set()

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            places.add(prefix + name)
            for inner in (field.annotation, *get_args(field.annotation)):
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    child = f"{prefix}{name}" + (".*" if name in ("backends", "routes") else "")
                    assert MODELS[child] is inner
                    walk(inner, child + ".")

    walk(Config, "")
    assert places <= EXPECTED.keys()
    assert {pattern(("backends", "x", "urls", 3)), pattern(("routes", 3, "query", "x"))} <= EXPECTED.keys()


def test_every_required_key_has_words_for_its_absence() -> None:
    required = {
        f"{prefix}.{name}".lstrip(".")
        for prefix, model in MODELS.items()
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    assert required == MISSING.keys()


def test_other_words_lead_to_keys_that_exist() -> None:
    for place, words in OTHER_WORDS.items():
        assert set(words.values()) <= MODELS[place].model_fields.keys()
        assert not words.keys() & MODELS[place].model_fields.keys()


def test_methods_that_the_gateway_cannot_serve_are_not_offered() -> None:
    assert "CONNECT" not in METHODS


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("a", "'a'"),
        (10**30, "so large a number"),
        ({}, "an empty mapping"),
    ],
)
def test_values_are_shown_in_yaml_s_words(value: object, shown: str) -> None:
    assert show(value) == shown
