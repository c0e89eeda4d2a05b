from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.now import Now
from gateway.cli.now_view import now_data, now_lines
from gateway.cli.request import Request
from gateway.cli.verdict import Verdict, judge
from gateway.config.loader import load_text

FILE = load_text(
    'version: 1\nbackends: {legacy: {app: "l:app"}, new: {urls: ["http://a", "http://b"]}}\ndefault: legacy\n'
    "override: {secret: longenough}\n"
    "routes: [{path: /books, to: {legacy: 90, new: 10}, sticky: none, fallback: legacy}]\n"
)
BUSY = {"requests": 40, "rate": 4.0, "errors": 2, "error_ratio": 0.05, "p50": 0.004, "p95": 1.25, "in_flight": 1}
IDLE = {"requests": 0, "rate": 0.0, "errors": 0, "error_ratio": 0.0, "p50": None, "p95": None, "in_flight": 0}


def verdict(url: str, *headers: str) -> Verdict:
    return judge(Request.parse("GET", url, headers, ""), FILE)


@pytest.fixture
def status() -> dict[str, Any]:
    """All is well."""
    worker = {"state": "ready", "digest": FILE.digest}
    return {
        "config": {"state": "live", "version": 3, "digest": FILE.digest, "since": 1.0, "problems": []},
        "planned": 2,
        "workers": [worker, worker],
        "backends": [
            {"name": "legacy", "addresses": [], "limit": None},
            {"name": "new", "addresses": [{"address": "http://a", "trouble": ""}], "limit": None},
            {"name": "other", "addresses": [{"address": "http://o", "trouble": "is down"}], "limit": None},
        ],
        "routes": [
            {
                "label": "/books",
                "limit": None,
                "breakers": {"new": {"trouble": ""}},
                "backends": {"legacy": BUSY, "new": IDLE},
                "observed": {},
            },
            {"label": "default", "limit": None, "breakers": {}, "backends": {"legacy": IDLE}, "observed": {}},
        ],
    }


def lines(status: dict[str, Any], asked: Verdict) -> list[str]:
    return list(now_lines(Now(status), asked, FILE.digest))


def test_what_serves_and_with_what_success(status: dict[str, Any]) -> None:
    legacy = "4.0 requests/s of this route, 1 in flight; in the last minute 5.0 % errors, p95 1.3 s"
    assert sorted(lines(status, verdict("/books"))) == [
        f"  legacy answers {legacy}",
        "  new answers 0 requests/s of this route, 0 in flight",
        "now: version 3 serves, on 2 of 2 workers",
    ]
    assert lines(status, verdict("/elsewhere")) == [
        "now: version 3 serves, on 2 of 2 workers",
        "  legacy answers 0 requests/s of this route, 0 in flight",
    ]


def test_what_is_not_well_of_those_who_would_get_it(status: dict[str, Any]) -> None:
    limit = {"in_flight": 2, "allowed": 2, "waiting": 7, "refused": 34, "trouble": "is at its limit"}
    status["backends"][1]["addresses"][0]["trouble"] = "is down: status 500"
    status["backends"][0]["limit"] = {**limit, "waiting": 0, "refused": 0}
    status["routes"][0]["limit"] = limit
    status["routes"][0]["breakers"]["new"]["trouble"] = "is left alone: its breaker is open"
    said = lines(status, verdict("/books"))
    assert [line for line in said if " answers " not in line] == [
        "now: version 3 serves, on 2 of 2 workers",
        "  this route has 2 of 2 in flight, 7 waiting, 34 refused",
        "  new is left alone: its breaker is open",
        "  new: http://a is down: status 500",
        "  legacy has 2 of 2 in flight",
    ]
    # A tester sees a backend as it is.
    said = lines(status, verdict("/books", "X-Gateway-Backend: new:longenough"))
    assert [line for line in said if "breaker" in line or "legacy" in line] == []


@pytest.mark.parametrize(
    ("state", "more"),
    [
        ("live", ""),
        ("rejected", ", and the gateway refuses its file"),
        ("missing", ", and the gateway's file is missing"),
    ],
)
def test_another_file_than_the_one_that_serves(status: dict[str, Any], state: str, more: str) -> None:
    status["config"].update(digest="other", state=state)
    status["workers"][0] = {"state": "ready", "digest": "other"}
    status["routes"] = status["routes"][1:]
    assert lines(status, verdict("/books")) == [
        f"now: version 3 serves, on 1 of 2 workers; this file is not that version{more}"
    ]
    data: Any = now_data(Now(status), verdict("/books"), FILE.digest)
    assert (data["serves_this_file"], data["route"]) == (False, None)


def test_where_nobody_tells_that_is_said() -> None:
    silent = Now(None, "http://127.0.0.1:1 does not answer: refused")
    asked = verdict("/books")
    assert list(now_lines(silent, asked, "")) == ["now: not known, http://127.0.0.1:1 does not answer: refused"]
    assert now_data(silent, asked, "") == {"not_told": "http://127.0.0.1:1 does not answer: refused"}
