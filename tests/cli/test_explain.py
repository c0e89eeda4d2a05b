from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config.loader import load_file
from gateway.routing.split import Split, point
from tests.cli.conftest import Invoke
from tests.cli.project import ROUTES, make

CLIENT = "A" * 22


def told(invoke: Invoke, *arguments: str) -> dict[str, Any]:
    done = invoke("explain", *arguments, "--json")
    assert done.code == 0, done.err
    data: dict[str, Any] = json.loads(done.out)
    return data


def test_why_a_route_is_passed_over(folder: Path, invoke: Invoke) -> None:
    assert invoke("explain", "GET", "/books/7").out.splitlines() == [
        "GET /books/7",
        "  1. POST /books/{id:int} (line 10) passed over: method is GET, not POST",
        "  2. GET /books/{id} (line 7) takes it",
        "→ new",
    ]


def test_what_is_done_when_a_backend_fails(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + "  - {path: /safe, to: new, fallback: legacy}\n")
    assert invoke("explain", "GET", "/safe").out.splitlines()[2:] == [
        "→ new",
        "  if new fails with 502, 503, 504, connect or timeout, legacy answers what may be sent again",
        "  the breaker of new opens for 10 s after 5 failures in a row, or 50% of 20 and more in 10 s; then legacy has "
        "its share",
    ]
    safeguards = told(invoke, "GET", "/safe")["safeguards"]
    assert safeguards["new"]["fallback"] == {
        "to": "legacy",
        "on": [502, 503, 504, "connect", "timeout"],
        "body": 65536,
        "repeatable": False,
    }
    assert (safeguards["new"]["breaker"]["open"], safeguards["new"]["instead"]) == (10.0, "legacy")


@pytest.mark.parametrize(
    ("to", "word", "line"),
    [
        ("new", "open", "  the breaker of new stays open, by hand; then it is answered 503"),
        ("new", "closed", "  the breaker of new stays closed, by hand"),
        ("{new: 10, legacy: 90}", "open", "  the breaker of new stays open, by hand; then legacy has its share"),
    ],
)
def test_a_breaker_by_hand(folder: Path, invoke: Invoke, to: str, word: str, line: str) -> None:
    make(folder, ROUTES + f"  - {{path: /safe, to: {to}, breaker: {word}}}\n")
    assert invoke("explain", "GET", "/safe").out.splitlines()[-1] == line


LIMITED = """\
version: 1
backends:
  legacy: {app: "oldshop:app", limit: {in_flight: 32}}
  new: {app: "newshop:app"}
  far:
    urls: ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"]
    health: {path: /healthz, unhealthy_after: 1}
    limit: {in_flight: 1, queue: 0}
default: legacy
limits: {body: 1000, stream_lifetime: 60}
override: {secret: longenough}
routes:
  - {path: /reports, to: new, limit: {in_flight: 2, queue: 10, wait: 5}, max_body: 5, fallback: legacy, breaker: off}
  - {path: /far, to: far}
"""


def test_the_limits_of_a_request(folder: Path, invoke: Invoke) -> None:
    make(folder, LIMITED)
    of_legacy = (
        "  limit of legacy: 32 requests at once in each worker; 100 more wait for 1 s at most, others are answered 503"
    )
    lifetime = "  an answer that is not whole after 60 s is broken off, and a WebSocket closed"
    assert invoke("explain", "POST", "/reports").out.splitlines()[2:] == [
        "→ new",
        "  limit of this route: 2 requests at once in each worker; 10 more wait for 5 s at most, others are answered "
        "503",
        # It may have to answer.
        of_legacy,
        "  a body of more than 5 bytes is answered 413",
        lifetime,
        "  if new fails with 502, 503, 504, connect or timeout, legacy answers what may be sent again",
    ]
    assert invoke("explain", "GET", "/login").out.splitlines()[2:] == [
        "→ legacy, the default",
        of_legacy,
        "  a body of more than 1000 bytes is answered 413",
        lifetime,
    ]
    assert told(invoke, "GET", "/reports")["limits"] == {
        "max_body": 5,
        "stream_lifetime": 60.0,
        "route": {"in_flight": 2, "queue": 10, "wait": 5.0},
        "backends": {"legacy": {"in_flight": 32, "queue": 100, "wait": 1.0}},
    }


def test_they_are_those_of_a_tester_too(folder: Path, invoke: Invoke) -> None:
    make(folder, LIMITED)
    limits = told(invoke, "GET", "/reports", "-H", "X-Gateway-Backend: far:longenough")["limits"]
    assert (limits["route"]["in_flight"], limits["backends"]["far"]["in_flight"]) == (2, 1)
    assert "legacy" not in limits["backends"]


def test_where_anything_goes_nothing_is_said(folder: Path, invoke: Invoke) -> None:
    answer = told(invoke, "GET", "/books/7")
    assert answer["limits"] == {"max_body": None, "stream_lifetime": None, "route": None, "backends": {}}
    assert (answer["health"], answer["now"]) == ({}, None)


def test_how_the_health_of_an_address_is_found_out(folder: Path, invoke: Invoke) -> None:
    make(folder, LIMITED)
    assert invoke("explain", "GET", "/far").out.splitlines()[-2:] == [
        "  far is asked for /healthz every 5 s; an address is down after 1 failure, and up again after 2 that pass",
        "  an address of far is left out for 10 s and more after 5 failures in a row, or 50% of 20 and more in 10 s; "
        "at most 1 of 3",
    ]
    health = told(invoke, "GET", "/far")["health"]["far"]
    assert (health["checks"]["path"], health["outliers"]["eject"]) == ("/healthz", 10.0)
    make(folder, LIMITED.replace("    health:", "    outliers: off\n    health:"))
    assert told(invoke, "GET", "/far")["health"]["far"]["outliers"] == "off"
    assert invoke("explain", "GET", "/far").out.splitlines()[-1].startswith("  far is asked for /healthz")


def test_what_no_route_takes(folder: Path, invoke: Invoke) -> None:
    assert invoke("explain", "GET", "/login").out.splitlines() == [
        "GET /login",
        "  no route's path matches",
        "→ legacy, the default",
    ]
    assert invoke("explain", "DELETE", "/books/x").out.splitlines() == [
        "DELETE /books/x",
        "  1. GET /books/{id} (line 7) passed over: method is DELETE, not GET",
        "  none of them takes it",
        "→ legacy, the default",
    ]


def test_a_less_specific_route(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + "  - {path: '/{rest:path}', to: new}\n")
    lines = invoke("explain", "GET", "/books/x").out.splitlines()
    assert lines[1:3] == [
        "  1. GET /books/{id} (line 7) takes it",
        "  2. /{rest:path} (line 21) would take it, but is less specific",
    ]


def test_a_split_with_a_new_client(folder: Path, invoke: Invoke) -> None:
    assert invoke("explain", "GET", "/books").out.splitlines() == [
        "GET /books",
        "  1. GET /books (line 13) takes it",
        "  split: new 0–10, legacy 10–100",
        "  key: no cookie strangler_id, so this is a new client: it is drawn, and stays on its side",
        "→ new 10 %, legacy 90 %",
    ]


def test_a_split_with_a_known_client(folder: Path, invoke: Invoke) -> None:
    route = load_file("routes.yaml").config.routes[2]
    falls = point(route.salt, CLIENT)
    split = Split(route.weights, "legacy")
    answer = told(invoke, "GET", "/books", "-H", f"Cookie: a=b; strangler_id={CLIENT}")
    assert answer["because"] == "key"
    assert answer["backend"] == split.backends[split.owner(falls)]
    assert answer["split"] == {
        "key": "cookie strangler_id",
        "point": falls / 100,
        "intervals": [{"backend": "new", "from": 0, "to": 10}, {"backend": "legacy", "from": 10, "to": 100}],
    }


def test_what_cannot_be_an_id_of_ours_is_no_key(folder: Path, invoke: Invoke) -> None:
    assert told(invoke, "GET", "/books", "-H", "Cookie: strangler_id=me")["because"] == "draw"


def test_sticky_by_address(folder: Path, invoke: Invoke) -> None:
    assert told(invoke, "GET", "/static/a.css")["backend"] is None
    one = told(invoke, "GET", "/static/a.css", "--client-ip", "2001:db8::1")
    other = told(invoke, "GET", "/static/b.css", "--client-ip", "2001:db8::2")
    assert one["split"]["key"] == "address 2001:db8::/64"
    assert (one["backend"], one["split"]) == (other["backend"], other["split"])
    assert "give it with --client-ip" in invoke("explain", "GET", "/static/a.css").out


@pytest.mark.parametrize(
    ("sticky", "header", "key"),
    [
        ("header:X-User-Id", "X-User-Id: 7", "header x-user-id"),
        ("cookie:session", "Cookie: session=7", "cookie session"),
    ],
)
def test_other_keys(folder: Path, invoke: Invoke, sticky: str, header: str, key: str) -> None:
    make(folder, ROUTES.replace("sticky: ip", f"sticky: {sticky}"))
    drawn = told(invoke, "GET", "/static/a.css")
    assert (drawn["because"], drawn["split"]["key"]) == ("draw", key)
    keyed = told(invoke, "GET", "/static/a.css", "-H", header)
    assert (keyed["because"], keyed["split"]["key"]) == ("key", key)
    assert f"key: no {key}, so each request is drawn on its own" in invoke("explain", "GET", "/static/a.css").out


def test_sticky_none(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("sticky: ip", "sticky: none"))
    assert "key: none, each request is drawn on its own" in invoke("explain", "GET", "/static/a.css").out


def test_all_to_one_side_is_no_split(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES.replace("{legacy: 90, new: 10}", "{legacy: 0, new: 100}"))
    answer = told(invoke, "GET", "/books")
    assert (answer["because"], answer["backend"], answer["split"]) == ("route", "new", None)


@pytest.mark.parametrize("path", ["/a/../b", "/a/%2e%2e/b", "/a%00", "/a\\b", "/a%2"])
def test_what_the_gateway_refuses(folder: Path, invoke: Invoke, path: str) -> None:
    assert invoke("explain", "GET", path).out.startswith("refused with 400: the path has a ")
    assert told(invoke, "GET", path)["because"] == "refused"


def test_the_path_that_is_decided_on(folder: Path, invoke: Invoke) -> None:
    answer = told(invoke, "GET", "/books/a%2Fb%20c%C3%A9?x=1")
    assert (answer["path"], answer["forwarded_path"]) == ("/books/a%2Fb cé", "/books/a%2Fb%20c%C3%A9")
    assert answer["backend"] == "new"


def test_a_whole_url_names_the_host(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + "  - {path: /, host: shop.example, query: {v: '2'}, headers: {X-B: true}, to: new}\n")
    assert told(invoke, "GET", "https://shop.example:8443?v=2", "-H", "x-b: 1")["backend"] == "new"
    assert told(invoke, "GET", "https://shop.example/", "-H", "x-b: 1")["backend"] == "legacy"
    assert told(invoke, "GET", "/?v=2", "-H", "Host: shop.example", "-H", "x-b: 1")["backend"] == "new"
    [candidate] = told(invoke, "GET", "http://other.example/?v=2")["candidates"]
    assert candidate["passed_over"] == "host is 'other.example', not shop.example"


OVERRIDE = "override: {allow: [10.0.0.0/8]}\n"


def test_an_override(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + OVERRIDE)
    wish = ("-H", "X-Gateway-Backend: legacy")
    assert told(invoke, "GET", "/books/x", *wish, "--client-ip", "10.1.1.1")["because"] == "override"
    assert invoke("explain", "GET", "/books/x", *wish, "--client-ip", "10.1.1.1").out.endswith(
        "→ legacy, by override\n"
    )
    assert told(invoke, "GET", "/books/x", *wish, "--client-ip", "192.0.2.1")["because"] == "route"
    assert told(invoke, "GET", "/books/x", *wish)["because"] == "route"


def test_an_override_with_a_typing_mistake(folder: Path, invoke: Invoke) -> None:
    make(folder, ROUTES + OVERRIDE)
    done = invoke("explain", "GET", "/books/x", "-H", "X-Gateway-Backend: nwe", "--client-ip", "10.1.1.1")
    assert done.out == "refused with 400: the override names no known backend\n"


def test_only_trusted_proxies_say_who_the_client_is(folder: Path, invoke: Invoke) -> None:
    said = ("-H", "X-Forwarded-For: 192.0.2.7", "--client-ip", "10.0.0.1")
    assert told(invoke, "GET", "/static/a.css", *said)["split"]["key"] == "address 10.0.0.1"
    make(folder, ROUTES + "trusted_proxies: [10.0.0.0/8]\n")
    assert told(invoke, "GET", "/static/a.css", *said)["split"]["key"] == "address 192.0.2.7"


def test_a_method_in_small_letters(folder: Path, invoke: Invoke) -> None:
    assert told(invoke, "get", "/books/x")["method"] == "GET"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", "books"), "did you mean '/books'?"),
        (("G T", "/books"), "'G T' is not a method such as GET"),
        (("GET", "/books", "-H", "nonsense"), "'nonsense' is not a header; write it as 'Name: value'"),
        (("GET", "/books", "-H", "a b: c"), "'a b: c' is not a header; write it as 'Name: value'"),
        (("GET", "/books", "--client-ip", "here"), "'here' is not an IP address"),
    ],
)
def test_bad_usage(folder: Path, invoke: Invoke, arguments: tuple[str, ...], message: str) -> None:
    done = invoke("explain", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
