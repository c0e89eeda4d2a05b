from __future__ import annotations

import time
from unittest.mock import ANY

import httpx
import pytest

from gateway.config.loader import load_text
from gateway.control.admin.running import Running
from gateway.control.figures.figures import STEPS, Figures
from gateway.health.board import Address
from gateway.health.checker import Checked
from tests.control.admin.conftest import ROUTES, Worker

IDLE = {"requests": 0, "rate": 0.0, "errors": 0, "error_ratio": 0.0, "p50": None, "p95": None, "in_flight": 0}


@pytest.fixture
def minute(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute have passed since the start."""
    monkeypatch.setattr(running.sampler, "_figures", Figures(time.monotonic() - 60))


async def test_the_table_is_in_order_of_precedence_with_weights(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/routes")
    answer = response.json()
    assert answer["default"] == "legacy"
    assert answer["config"]["version"] == 1
    assert response.headers["etag"] == f'"{answer["config"]["digest"]}"'
    assert [route["label"] for route in answer["routes"]] == ["/books/new", "GET /books/{id}"]
    assert answer["routes"][1] == {
        "label": "GET /books/{id}",
        "path": "/books/{id}",
        "methods": ["GET"],
        "host": None,
        "group": "catalogue",
        "sticky": "ip",
        "line": 7,
        "to": {"legacy": 90.0, "new": 10.0},
    }
    assert answer["routes"][0]["sticky"] == "cookie"


async def test_the_status_without_traffic(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/status")
    answer = response.json()
    digest = answer["config"]["digest"]
    assert response.headers["etag"] == f'"{digest}"'
    assert answer["config"] == {"state": "live", "version": 1, "digest": digest, "since": ANY, "problems": []}
    assert (answer["default"], answer["planned"], answer["workers"]) == ("legacy", 2, [])
    unchecked = {
        "address": "http://127.0.0.1:5001",
        "health": None,
        "since": None,
        "reason": "",
        "ejected": 0,
        "trouble": "",
    }
    assert answer["backends"] == [
        {"name": "legacy", "kind": "embedded", "address": "legacy:app", "addresses": [], "limit": None, **IDLE},
        {
            "name": "new",
            "kind": "remote",
            "address": "http://127.0.0.1:5001",
            "addresses": [unchecked],
            "limit": None,
            **IDLE,
        },
    ]
    assert [route["label"] for route in answer["routes"]] == ["/books/new", "GET /books/{id}", "default"]
    assert answer["routes"][1] == {
        "label": "GET /books/{id}",
        "path": "/books/{id}",
        "methods": ["GET"],
        "host": None,
        "group": "catalogue",
        "sticky": "ip",
        "line": 7,
        "to": {"legacy": 90.0, "new": 10.0},
        "observed": {},
        "backends": {"legacy": IDLE, "new": IDLE},
        "breakers": {},
        "limit": None,
    }
    assert answer["routes"][2]["to"] == {"legacy": 100.0}
    assert answer["routes"][2]["line"] == 5
    assert answer["migration"] == {"routes_moved": 1, "routes_total": 2, "traffic": {"legacy": 0.0, "new": 0.0}}
    assert answer["refused"] == {}


@pytest.mark.usefixtures("minute")
@pytest.mark.parametrize(
    ("checked", "ejected", "health", "trouble"),
    [
        (Checked(None, 5.0), 0, "unknown", ""),
        (Checked(True, 5.0), 0, "up", ""),
        (Checked(False, 5.0, "status 500"), 0, "down", "is down: status 500"),
        (Checked(False, 5.0, "status 500"), 2, "down", "is down: status 500, gets no requests"),
        (Checked(True, 5.0), 1, "up", "gets no requests in 1 of 2 workers"),
        (Checked(None, 5.0, "it cannot be checked: no threads"), 0, "unknown", "it cannot be checked: no threads"),
    ],
)
async def test_the_health_of_an_address(
    admin: httpx.AsyncClient,
    running: Running,
    worker: Worker,
    checked: Checked,
    ejected: int,
    health: str,
    trouble: str,
) -> None:
    address = Address("new", "http://127.0.0.1:5001")
    running.checker.checked[address] = checked
    worker.count(("backend_ejected", *address), ejected)
    _, backend = (await admin.get("/api/v1/status")).json()["backends"]
    assert backend["addresses"] == [
        {
            "address": address.url,
            "health": health,
            "since": 5.0,
            "reason": checked.reason,
            "ejected": ejected,
            "trouble": trouble,
        }
    ]


@pytest.mark.usefixtures("minute")
@pytest.mark.parametrize(
    ("states", "trouble"),
    [
        ({"closed": 2}, ""),
        ({"open": 2}, "is left alone: its breaker is open"),
        ({"closed": 1, "half_open": 1}, "is left alone in 1 of 2 workers: its breaker is open"),
    ],
)
async def test_the_breaker_of_a_backend_on_a_route(
    admin: httpx.AsyncClient, worker: Worker, states: dict[str, int], trouble: str
) -> None:
    for state, workers in states.items():
        worker.count(("breaker_state", "GET /books/{id}", "new", state), workers)
    routes = {route["label"]: route for route in (await admin.get("/api/v1/status")).json()["routes"]}
    none = {"closed": 0, "half_open": 0, "open": 0}
    assert routes["GET /books/{id}"]["breakers"] == {"new": {**none, **states, "trouble": trouble}}
    assert routes["default"]["breakers"] == {}


@pytest.mark.usefixtures("minute")
async def test_the_limits_of_a_route_and_of_a_backend(admin: httpx.AsyncClient, worker: Worker) -> None:
    for limit, in_flight, waiting in ((("route", "GET /books/{id}"), 2, 7), (("backend", "legacy"), 5, 0)):
        worker.count(("limit_in_flight", *limit), in_flight)
        worker.count(("limit_waiting", *limit), waiting)
        worker.count(("limit_allowed", *limit), in_flight + waiting)
    worker.count(("limit_refused", "route", "GET /books/{id}", "queue_full"), 30)
    worker.count(("limit_refused", "route", "GET /books/{id}", "queue_wait"), 4)
    # One that was in the file.
    worker.count(("limit_allowed", "backend", "new"), 0)
    answer = (await admin.get("/api/v1/status")).json()
    limits = {each["label"]: each["limit"] for each in answer["routes"] if each["limit"]}
    assert limits == {
        "GET /books/{id}": {
            "in_flight": 2,
            "allowed": 9,
            "waiting": 7,
            "refused": 34,
            "trouble": "is at its limit: requests were refused within the last minute",
        }
    }
    legacy, new = answer["backends"]
    assert legacy["limit"] == {"in_flight": 5, "allowed": 5, "waiting": 0, "refused": 0, "trouble": ""}
    assert new["limit"] is None


@pytest.mark.usefixtures("minute")
async def test_what_was_refused_by_reason(admin: httpx.AsyncClient, worker: Worker) -> None:
    worker.count(("refused", "slow_head"), 3)
    worker.count(("refused", "connections"), 0)
    assert (await admin.get("/api/v1/status")).json()["refused"] == {"slow_head": 3}


@pytest.mark.usefixtures("minute")
async def test_the_status_of_traffic(admin: httpx.AsyncClient, worker: Worker) -> None:
    worker.serve(60, "GET /books/{id}", "legacy")
    worker.serve(15, "GET /books/{id}", "new")
    worker.serve(5, "GET /books/{id}", "new", status=500, seconds=0.2)
    worker.serve(20, "default", "legacy")
    answer = (await admin.get("/api/v1/status")).json()
    _, route, rest = answer["routes"]
    assert route["observed"] == {"legacy": 75.0, "new": 25.0}
    assert route["backends"]["new"] == {
        "requests": 20,
        "rate": 0.33,
        "errors": 5,
        "error_ratio": 0.25,
        "p50": 0.02,
        "p95": 0.22,
        "in_flight": 0,
    }
    assert rest["backends"]["legacy"]["requests"] == 20
    assert [backend["requests"] for backend in answer["backends"]] == [80, 20]
    assert answer["backends"][1]["error_ratio"] == 0.25
    assert answer["migration"]["traffic"] == {"legacy": 0.8, "new": 0.2}


@pytest.mark.usefixtures("minute")
async def test_a_backend_that_the_route_does_not_name_shows_while_it_serves_it(
    admin: httpx.AsyncClient, worker: Worker
) -> None:
    """A tester's override."""
    worker.serve(1, "/books/new", "legacy")
    route = (await admin.get("/api/v1/status")).json()["routes"][0]
    assert (route["to"], route["observed"]) == ({"new": 100.0}, {"new": 0.0, "legacy": 100.0})


async def test_the_table_follows_the_file(admin: httpx.AsyncClient, running: Running) -> None:
    await admin.get("/api/v1/status")
    running.live.loaded = load_text(ROUTES.replace("to: new", "to: legacy").replace("version: 1", "\nversion: 1"))
    answer = (await admin.get("/api/v1/status")).json()
    assert answer["routes"][0]["to"] == {"legacy": 100.0}
    assert answer["routes"][0]["line"] == 9
    assert answer["migration"]["routes_moved"] == 0


@pytest.mark.usefixtures("minute")
async def test_a_chart_has_fifteen_minutes(admin: httpx.AsyncClient, worker: Worker) -> None:
    worker.serve(6, "/books/new", "new", status=500)
    worker.serve(6, "GET /books/{id}", "new")
    answer = (await admin.get("/api/v1/series")).json()
    assert answer["step"] == 10
    assert answer["end"] == pytest.approx(time.time(), abs=1)
    assert {len(values) for chart in answer["series"].values() for values in chart.values()} == {STEPS}
    assert [answer["series"]["new"][name][-1] for name in ("rate", "error_ratio", "p95")] == [0.2, 0.5, 0.02425]
    assert [answer["series"]["legacy"][name][-1] for name in ("rate", "error_ratio", "p95")] == [0.0, 0.0, None]
    one = (await admin.get("/api/v1/series", params={"route": "GET /books/{id}"})).json()["series"]["new"]
    assert (one["rate"][-1], one["error_ratio"][-1]) == (0.1, 0.0)
    rest = (await admin.get("/api/v1/series", params={"route": "default"})).json()["series"]["new"]
    assert rest["rate"][-1] == 0.0


async def test_a_chart_of_no_route_is_refused(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/series", params={"route": "/boks"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "title": "Not Found",
        "status": 404,
        "detail": "no route is called '/boks'; GET /api/v1/routes lists them",
        "kind": "unknown-route",
    }
