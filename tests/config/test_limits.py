from __future__ import annotations

import pytest

from gateway.config.limits import InFlight, Limits
from gateway.config.loader import load_text
from tests.config.said import BACKENDS, routes, said, said_of

LIMIT = "a mapping, such as {in_flight: 100, queue: 50, wait: 1}"
SECONDS = "a number of seconds, above 0 and up to 86400 (a day)"
COUNT = "a whole number from 1 to 1000000"
BYTES = "a whole number of bytes from 0 to 1099511627776"


def test_without_the_section_there_are_the_limits_of_the_front_door() -> None:
    assert load_text(routes("[]")).config.limits == Limits()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("10", "9: 'limits' must be a mapping, such as {body: 10485760, connections_per_client: 100}, not 10"),
        ("{head: 100}", "16: 'head' must be a whole number of bytes from 1024 to 1048576, not 100"),
        ("{request_line: 8k}", "24: 'request_line' must be a whole number of bytes from 256 to 1048576, not '8k'"),
        ("{fields: 0}", "18: 'fields' must be a whole number from 1 to 10000, not 0"),
        ("{body: -1}", f"16: 'body' must be {BYTES}, not -1"),
        ("{body: 10MB}", f"16: 'body' must be {BYTES}, not '10MB'"),
        ("{header_timeout: 0}", f"26: 'header_timeout' must be {SECONDS}, not 0"),
        ("{connections: many}", f"23: 'connections' must be {COUNT}, not 'many'"),
        ("{connections_per_client: 0}", f"34: 'connections_per_client' must be {COUNT}, not 0"),
        ("{stream_lifetime: 90000}", f"27: 'stream_lifetime' must be {SECONDS}, not 90000"),
        ("{client_max_body_size: 1}", "10: unknown key 'client_max_body_size'; did you mean 'body'?"),
        ("{max_connections: 1}", "10: unknown key 'max_connections'; did you mean 'connections'?"),
    ],
)
def test_of_the_limits(limits: str, message: str) -> None:
    [problem] = said(f"{BACKENDS}limits: {limits}\nroutes: []\n")
    assert problem == f"routes.yaml:6:{message}"


@pytest.mark.parametrize(
    ("limit", "messages"),
    [
        ("100", [f"1:30: 'limit' must be {LIMIT}, not 100"]),
        ("{queue: 5}", ["1:30: 'limit' has no 'in_flight': say how many requests there may be at once"]),
        ("{in_flight: 0}", [f"1:42: 'in_flight' must be {COUNT}, not 0"]),
        ("{in_flight: 5, queue: -1, wait: 0}",
         ["1:52: 'queue' must be a whole number from 0 to 100000, not -1", f"1:62: 'wait' must be {SECONDS}, not 0"]),
        ("{in_flight: 5, size: 5}", ["1:45: unknown key 'size'; the keys here are in_flight, queue or wait"]),
    ],
)  # fmt: skip
def test_of_requests_in_flight(limit: str, messages: list[str]) -> None:
    assert said_of(f"- {{path: /a, to: new, limit: {limit}}}") == messages


def test_of_an_app_s_requests_in_flight() -> None:
    [problem] = said("version: 1\ndefault: new\nbackends: {new: {app: 'a:b', limit: {in_flight: x}}}\n")
    assert problem.endswith(f": 'in_flight' must be {COUNT}, not 'x'")


def test_of_a_route_s_bodies() -> None:
    assert said_of("- {path: /a, to: new, max_body: 1.5}") == [f"1:33: 'max_body' must be {BYTES}, not 1.5"]
    assert said_of("- {path: /a, to: new, body_limit: 1}") == [
        "1:23: unknown key 'body_limit'; did you mean 'max_body'?"
    ]
    [route] = load_text(routes("- {path: /a, to: new, max_body: 0, limit: {in_flight: 3}}")).config.routes
    assert (route.max_body, route.limit) == (0, InFlight(in_flight=3, queue=100, wait=1.0))
