from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.status_view import backend_rows, heading, is_well, limit_rows, route_rows

BUSY = {"requests": 40, "rate": 4.0, "errors": 2, "error_ratio": 0.05, "p50": 0.004, "p95": 1.25, "in_flight": 1}
IDLE = {"requests": 0, "rate": 0.0, "errors": 0, "error_ratio": 0.0, "p50": None, "p95": None, "in_flight": 0}


@pytest.fixture
def status() -> dict[str, Any]:
    return {
        "config": {"state": "live", "version": 3, "digest": "d1", "since": 1.0, "problems": []},
        "default": "legacy",
        "planned": 2,
        "workers": [
            {"number": number, "pid": 10 + number, "state": "ready", "version": 3, "digest": "d1"} for number in (1, 2)
        ],
        "backends": [
            {"name": "legacy", "kind": "embedded", "address": "l:app", "addresses": [], "limit": None, **BUSY}
        ],
        "routes": [
            {
                "label": "/books",
                "to": {"legacy": 87.5, "new": 12.5},
                "observed": {"legacy": 90.02, "new": 9.98},
                "backends": {"legacy": BUSY, "new": IDLE},
                "breakers": {},
                "limit": None,
            },
            {
                "label": "default",
                "to": {"legacy": 100.0},
                "observed": {},
                "backends": {"legacy": IDLE},
                "breakers": {},
                "limit": None,
            },
        ],
        "refused": {},
        "migration": {"routes_moved": 1, "routes_total": 4, "traffic": {"legacy": 0.75, "new": 0.25}},
    }


def test_what_is_wanted_and_what_is_seen_side_by_side(status: dict[str, Any]) -> None:
    assert route_rows(status) == [
        ("/books", "legacy", "87.5 %", "90.02 %", "4.0", "5.0 %", "4.0 ms", "1.3 s", "1", "40"),
        ("/books", "new", "12.5 %", "9.98 %", "0", "–", "–", "–", "0", "0"),
        ("default", "legacy", "100 %", "–", "0", "–", "–", "–", "0", "0"),
    ]
    assert backend_rows(status) == [("legacy", "l:app", "4.0", "5.0 %", "4.0 ms", "1.3 s", "1", "40")]


def test_a_backend_that_the_route_does_not_name_is_wanted_by_nobody(status: dict[str, Any]) -> None:
    status["routes"][1]["backends"]["new"] = BUSY
    status["routes"][1]["observed"] = {"legacy": 0.0, "new": 100.0}
    assert route_rows(status)[3][:4] == ("default", "new", "0 %", "100 %")


def test_all_is_well(status: dict[str, Any]) -> None:
    first, last = heading(status)
    assert first.startswith("version 3 (d1), since ")
    assert first.endswith(", on 2 of 2 workers")
    assert last == "1 of 4 routes moved off legacy; traffic of the last minute: 75 % to legacy and 25 % to new"
    assert is_well(status)


def test_an_address_that_is_not_well_is_said_and_does_not_make_the_gateway_ill(status: dict[str, Any]) -> None:
    trouble = "is down: status 500, gets no requests in 1 of 2 workers"
    status["backends"][0]["addresses"] = [
        {"address": "http://127.0.0.1:1", "trouble": ""},
        {"address": "http://127.0.0.1:2", "trouble": trouble},
    ]
    assert list(heading(status))[1:-1] == [f"backend legacy: http://127.0.0.1:2 {trouble}"]
    assert is_well(status)


def test_a_backend_that_is_left_alone_is_said(status: dict[str, Any]) -> None:
    trouble = "is left alone: its breaker is open"
    status["routes"][0]["breakers"] = {"legacy": {"trouble": ""}, "new": {"trouble": trouble}}
    assert list(heading(status))[1:-1] == [f"route /books: backend new {trouble}"]
    assert is_well(status)


def test_limits_have_a_table_of_their_own_and_one_that_refuses_is_said(status: dict[str, Any]) -> None:
    assert limit_rows(status) == []
    trouble = "is at its limit: requests were refused within the last minute"
    status["backends"][0]["limit"] = {"in_flight": 3, "allowed": 64, "waiting": 0, "refused": 0, "trouble": ""}
    status["routes"][0]["limit"] = {"in_flight": 2, "allowed": 2, "waiting": 7, "refused": 34, "trouble": trouble}
    status["refused"] = {"route_queue_full": 34, "slow_head": 1}
    assert limit_rows(status) == [("route /books", "2", "2", "7", "34"), ("backend legacy", "3", "64", "0", "0")]
    assert list(heading(status))[1:-1] == [
        f"route /books {trouble}",
        "refused within the last minute: 34 route_queue_full, 1 slow_head",
    ]
    assert is_well(status)


def test_a_file_that_is_missing_is_not_called_refused(status: dict[str, Any]) -> None:
    status["config"].update(state="missing", problems=["routes.yaml: no such file"])
    assert list(heading(status))[1:-1] == ["the file is missing, version 3 stays live:", "routes.yaml: no such file"]
    assert not is_well(status)


def test_what_is_not_well_is_said(status: dict[str, Any]) -> None:
    status["config"].update(state="rejected", problems=["routes.yaml:8:9: unknown backend 'nwe'"])
    status["workers"][0]["state"] = "starting"
    status["workers"][1].update(version=2, digest="d0")
    lines = list(heading(status))
    assert lines[0].endswith("on 0 of 2 workers")
    assert lines[1:5] == [
        "worker 1 (pid 11) is starting",
        "worker 2 (pid 12) serves version 2",
        "the file is refused, version 3 stays live:",
        "routes.yaml:8:9: unknown backend 'nwe'",
    ]


@pytest.mark.parametrize("wrong", ["file", "worker", "missing"])
def test_it_is_well_only_if_everything_is(status: dict[str, Any], wrong: str) -> None:
    if wrong == "file":
        status["config"]["state"] = "rejected"
    elif wrong == "worker":
        status["workers"][0]["digest"] = "d0"
    else:
        del status["workers"][0]
    assert not is_well(status)


def test_without_traffic_there_is_none(status: dict[str, Any]) -> None:
    status["migration"]["traffic"] = {"legacy": 0.0, "new": 0.0}
    assert list(heading(status))[-1].endswith("traffic of the last minute: none")
