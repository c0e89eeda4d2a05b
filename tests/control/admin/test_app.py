from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.config.loader import load_text
from gateway.control.admin.app import admin_app
from gateway.control.live import LiveConfig
from gateway.control.metrics import ControlMetrics
from gateway.control.supervisor import Plan, Supervisor
from gateway.telemetry.exposition import Aggregate

ROUTES = """\
version: 1
backends:
  legacy: {app: "legacy:app"}
  new: {app: "new:app"}
default: legacy
routes:
  - {path: "/books/{id}", methods: [GET], to: {legacy: 90, new: 10}, sticky: ip, group: catalogue}
  - {path: /books/new, to: new}
"""


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Before any worker is ready. What it says of running workers is tested with real ones."""
    with socket.socket() as listener:
        live = LiveConfig(load_text(ROUTES), tmp_path)
        numbers = Aggregate()
        supervisor = Supervisor(Plan(tmp_path, 2, 25, tmp_path), [listener], live, numbers)
        registry = CollectorRegistry()
        registry.register(numbers)
        registry.register(ControlMetrics(live, supervisor))
        transport = httpx.ASGITransport(admin_app(live, supervisor, registry))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
            yield client


async def test_the_control_process_is_healthy_as_soon_as_it_runs(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


async def test_it_is_not_ready_without_a_worker(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/readyz")
    assert response.status_code == 503
    answer = response.json()
    assert (answer["ready"], answer["planned"], answer["workers"]) == (False, 2, [])
    assert answer["config"]["state"] == "live"


async def test_the_table_is_in_order_of_precedence_with_weights(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/api/v1/routes")).json()
    assert answer["default"] == "legacy"
    assert answer["config"]["version"] == 1
    assert [route["label"] for route in answer["routes"]] == ["/books/new", "GET /books/{id}"]
    assert answer["routes"][1] == {
        "label": "GET /books/{id}",
        "path": "/books/{id}",
        "methods": ["GET"],
        "host": None,
        "to": [{"backend": "legacy", "percent": 90.0}, {"backend": "new", "percent": 10.0}],
        "sticky": "ip",
        "group": "catalogue",
    }
    assert answer["routes"][0]["sticky"] == "cookie"


async def test_the_metrics_page_tells_weights_and_version(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    lines = response.text.splitlines()
    assert 'gateway_route_weight_ratio{backend="new",route="GET /books/{id}"} 0.1' in lines
    assert 'gateway_route_weight_ratio{backend="legacy",route="default"} 1.0' in lines
    assert "gateway_config_version 1.0" in lines
    assert "gateway_config_last_reload_successful 1.0" in lines
    assert 'gateway_config_reloads_total{outcome="applied"} 0.0' in lines
    assert "gateway_workers_planned 2.0" in lines
    assert "gateway_worker_restarts_total 0.0" in lines


async def test_the_metrics_page_speaks_openmetrics_when_asked(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/readyz", 405)])
async def test_errors_are_problem_documents(admin: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    response = await admin.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


async def test_it_describes_itself(admin: httpx.AsyncClient) -> None:
    paths = (await admin.get("/api/openapi.json")).json()["paths"]
    assert set(paths) == {"/healthz", "/readyz", "/metrics", "/api/v1/routes"}


async def test_a_host_that_is_not_this_machine_is_refused(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/routes", headers={"host": "evil.example"})
    assert response.status_code == 421
