from __future__ import annotations

import httpx
import pytest

from gateway.config.loader import digest_of
from gateway.control.admin.running import Running
from tests.control.admin.conftest import ROUTES

SECOND = ROUTES.replace("{legacy: 90, new: 10}", "new") + "override: {secret: hunter2-hunter2}\n"


@pytest.fixture(autouse=True)
def recorded(running: Running) -> None:
    history = running.live.history
    history.record(1, digest_of(ROUTES.encode()), ROUTES, at=100.0, origin="start", changes="the first version")
    history.record(2, digest_of(SECOND.encode()), SECOND, at=200.0, changes="GET /books/{id}: … → new")
    history.record(3, "0" * 12, None, at=300.0, changes="what changed is not known")


async def test_the_history_has_the_newest_first(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/api/v1/history")).json()
    assert [each["version"] for each in answer["versions"]] == [3, 2, 1]
    assert answer["total"] == 3
    assert answer["versions"][2] == {
        "version": 1,
        "digest": digest_of(ROUTES.encode()),
        "at": 100.0,
        "origin": "start",
        "user": "",
        "reason": "",
        "changes": "the first version",
        "undone_to": None,
    }


async def test_it_can_be_cut(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/api/v1/history", params={"limit": 1})).json()
    assert ([each["version"] for each in answer["versions"]], answer["total"]) == ([3], 3)


async def test_a_version_has_its_text_without_the_secret(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/api/v1/history/2")).json()
    assert answer["text"] == SECOND.replace("hunter2-hunter2", "********")
    assert (await admin.get("/api/v1/history/3")).json()["text"] is None


async def test_two_versions_are_compared_without_the_secret(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get("/api/v1/diff", params={"from": 1, "to": 2})).json()
    assert answer["changes"] == "GET /books/{id}: legacy 90 %, new 10 % → new; override: edited"
    assert answer["diff"].startswith("--- version 1\n+++ version 2\n")
    assert "+override: {secret: ********}\n" in answer["diff"]
    assert "hunter2" not in answer["diff"]


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/history/9", 404, "unknown-version"),
        ("/api/v1/diff?from=1&to=9", 404, "unknown-version"),
        ("/api/v1/diff?from=1&to=3", 404, "text-not-kept"),
        ("/api/v1/history/0", 422, ""),
        ("/api/v1/diff?from=1", 422, ""),
        ("/api/v1/history?limit=0", 422, ""),
    ],
)
async def test_what_is_not_there_is_a_problem_document(
    admin: httpx.AsyncClient, path: str, status: int, kind: str
) -> None:
    response = await admin.get(path)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json().get("kind", "")) == (status, kind)
