from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.loader import load_dict
from gateway.config.problem import ConfigError
from tests.config.said import said_of


def test_a_mistake_in_a_path_is_pointed_at() -> None:
    assert said_of("- path: /books/{id:itn}/x\n  to: new") == [
        "1:20: unknown type 'itn'; did you mean {id:int}? (known types are int, uuid and path)"
    ]
    assert said_of("- {path: '/books/{id', to: new}") == ["1:18: '{' is never closed in its segment"]
    assert said_of("- {path: books, to: new}") == ["1:10: a path starts with a slash; did you mean '/books'?"]


def test_hosts_are_names() -> None:
    assert said_of("- {path: /a, to: new, host: 'example.com:80'}") == [
        "1:29: hosts are matched without their port; write 'example.com'"
    ]
    assert said_of("- {path: /a, to: new, host: '*.example.com'}") == []


@pytest.mark.parametrize("host", ["12:30", "https://example.com", "*", "a b", "bücher.example"])
def test_what_is_no_host(host: str) -> None:
    assert len(said_of(f"- {{path: /a, to: new, host: '{host}'}}")) == 1


def test_targets_are_backends() -> None:
    assert said_of("- {path: /a, to: nwe}\n- {path: /b, to: {legacy: 90, nwe: 10}}") == [
        "1:18: unknown backend 'nwe'; did you mean 'new'?",
        "2:31: unknown backend 'nwe'; did you mean 'new'?",
    ]


def test_a_backend_that_is_broken_itself_is_known() -> None:
    with pytest.raises(ConfigError) as caught:
        load_dict(
            {"version": 1, "backends": {"a": {"app": 1}, "b": 2}, "default": "a", "routes": [{"path": "/", "to": "b"}]}
        )
    assert [problem.source for problem in caught.value.problems] == ["backends.a.app", "backends.b"]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("{legacy: 90, new: 5}", "the percentages add up to 95, not 100: 5 too little"),
        ("{legacy: 90, new: 20.5}", "the percentages add up to 110.5, not 100: 10.5 too much"),
        ("{new: 99.99}", "the percentages add up to 99.99, not 100: 0.01 too little"),
        ("{legacy: 0, new: 0}", "the percentages add up to 0, not 100: 100 too little"),
    ],
)
def test_percentages_add_up(to: str, message: str) -> None:
    assert said_of(f"- {{path: /a, to: {to}}}") == [f"1:18: {message}"]


@pytest.mark.parametrize(
    "to", ["{new: 100}", "{legacy: 100, new: 0}", "{legacy: 66.67, new: 33.33}", "{legacy: 99.9, new: 0.1}"]
)
def test_percentages_that_add_up(to: str) -> None:
    assert said_of(f"- {{path: /a, to: {to}}}") == []


def test_percentages_have_two_decimals() -> None:
    assert said_of("- {path: /a, to: {legacy: 66.667, new: 33.333}}") == [
        "1:27: 66.667 has more than two decimals; write 66.67",
        "1:40: 33.333 has more than two decimals; write 33.33",
    ]


@given(st.integers(0, 10_000))
def test_every_hundredth_is_exact(hundredths: int) -> None:
    to = {"legacy": (10_000 - hundredths) / 100, "new": hundredths / 100}
    backends = {"legacy": {"app": "a:b"}, "new": {"app": "a:b"}}
    loaded = load_dict({"version": 1, "backends": backends, "default": "new", "routes": [{"path": "/", "to": to}]})
    assert dict(loaded.config.routes[0].weights) == {"legacy": 10_000 - hundredths, "new": hundredths}


def test_headers_are_named_once() -> None:
    assert said_of("- {path: /a, to: new, headers: {X-Beta: '1', x-beta: '2'}}") == [
        "1:46: the header 'x-beta' is given twice: case makes no difference"
    ]


def test_the_host_header_has_its_own_key() -> None:
    assert said_of("- {path: /a, to: new, headers: {Host: a.example}}") == [
        "1:33: write 'host: …' in the route itself to match the Host header"
    ]


@pytest.mark.parametrize("value", ['" 1"', '"1 "', '"a\\nb"', '"\\e"'])
def test_header_values_that_no_request_has(value: str) -> None:
    [problem] = said_of(f"- {{path: /a, to: new, headers: {{X-V: {value}}}}}")
    assert problem.startswith("1:38: no request has a header with this value")


def test_methods_are_named_once() -> None:
    assert said_of("- {path: /a, to: new, methods: [GET, POST, GET]}") == ["1:44: GET is given twice"]


@pytest.mark.parametrize("key", ["name", "methods", "host", "sticky", "group"])
def test_a_key_without_a_value_is_not_read_as_absent(key: str) -> None:
    assert said_of(f"- path: /a\n  {key}:\n  to: new") == [
        f"2:{len(key) + 4}: '{key}' is empty; give it a value, or leave the key out"
    ]


def test_the_name_of_the_default_is_taken() -> None:
    assert said_of("- {path: /a, to: new, name: default}") == [
        "1:29: 'default' is the name of what no route matches; choose another"
    ]
