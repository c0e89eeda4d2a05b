from __future__ import annotations

import re

import httpx


async def test_every_error_is_described_as_a_problem_document(admin: httpx.AsyncClient) -> None:
    document = (await admin.get("/api/openapi.json")).json()
    assert set(document["paths"]) == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/routes",
        "/api/v1/status",
        "/api/v1/series",
        "/api/v1/events",
        "/api/v1/plan",
        "/api/v1/changes",
        "/api/v1/history",
        "/api/v1/history/{version}",
        "/api/v1/diff",
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_the_page_has_every_operation_and_loads_nothing_from_elsewhere(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/docs")
    assert response.status_code == 200
    assert "POST /api/v1/changes" in response.text
    assert "Share of the requests that were errors, 0 to 1." in response.text
    assert not re.findall(r'(?:src|href)="(?!/|#)', response.text)
    assert "<script>" not in response.text


async def test_there_is_no_other_page(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/redoc")).status_code == 404
