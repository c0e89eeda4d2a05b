from __future__ import annotations

import httpx
import pytest


async def test_the_control_process_is_healthy_as_soon_as_it_runs(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


async def test_it_is_not_ready_without_a_worker(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/readyz")
    assert response.status_code == 503
    answer = response.json()
    assert (answer["ready"], answer["planned"], answer["workers"]) == (False, 2, [])
    assert answer["config"]["state"] == "live"


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
    response = await admin.request(method, path, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


async def test_it_describes_itself(admin: httpx.AsyncClient) -> None:
    paths = (await admin.get("/api/openapi.json")).json()["paths"]
    assert {"/healthz", "/readyz", "/metrics", "/api/v1/routes", "/api/v1/status"} <= set(paths)


async def test_a_host_that_is_not_this_machine_is_refused(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/routes", headers={"host": "evil.example"})
    assert response.status_code == 421
