from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from gateway.config.loader import digest_of, load_text
from gateway.config.problem import Problem
from gateway.control.admin.running import Running
from gateway.control.process import State, WorkerProcess
from tests.control.admin.conftest import ROUTES

HALF = {"change": {"split": {"route": "GET /books/{id}", "weights": {"new": 50}}}}
DIGEST = digest_of(ROUTES.encode())
CURRENT = {"if-match": f'"{DIGEST}"'}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "routes.yaml"


class Followers:
    """Workers that serve what the file says, some milliseconds after it says so."""

    def __init__(self, running: Running, file: Path, many: int = 2) -> None:
        self.workers = [WorkerProcess(number, *cast(Any, (None,) * 4)) for number in range(1, many + 1)]
        for worker, slot in zip(self.workers, running.supervisor._slots, strict=False):
            worker.state, worker.digest = State.READY, DIGEST
            slot.worker = worker
        self._live = running.live
        self._file = file

    async def follow(self, *, refuse: bool = False) -> None:
        while digest_of(self._file.read_bytes()) == DIGEST:
            await asyncio.sleep(0.001)
        for worker in self.workers:
            await asyncio.sleep(0.001)
            if refuse:
                worker.rejected = (Problem("routes.yaml", 4, 9, "the app cannot be imported"),)
            else:
                worker.digest = digest_of(self._file.read_bytes())
        if not refuse:
            self._live.loaded = load_text(self._file.read_bytes())
            self._live.version += 1


async def test_a_plan_says_what_would_be_done_and_does_nothing(admin: httpx.AsyncClient, file: Path) -> None:
    response = await admin.post("/api/v1/plan", json=HALF)
    assert response.status_code == 200
    assert response.headers["etag"] == CURRENT["if-match"]
    answer = response.json()
    assert answer["summary"] == "GET /books/{id}: legacy 90 %, new 10 % → legacy 50 %, new 50 %"
    assert '+  - {path: "/books/{id}", methods: [GET], to: {legacy: 50, new: 50}' in answer["diff"]
    assert answer["routes"] == [
        {
            "label": "GET /books/{id}",
            "before": {"legacy": 90.0, "new": 10.0},
            "after": {"legacy": 50.0, "new": 50.0},
            "moves": [{"from": "legacy", "to": "new", "share": 40.0}],
        }
    ]
    assert answer["digest"] == DIGEST
    assert file.read_text() == ROUTES


@pytest.mark.usefixtures("changing")
async def test_a_change_is_answered_when_every_worker_serves_it(
    admin: httpx.AsyncClient, running: Running, file: Path
) -> None:
    followers = Followers(running, file)
    following = asyncio.create_task(followers.follow())
    response = await admin.post("/api/v1/changes", json={**HALF, "user": "ann", "reason": "go"}, headers=CURRENT)
    await following
    assert response.status_code == 200, response.text
    answer = response.json()
    assert "to: {legacy: 50, new: 50}" in file.read_text()
    assert (answer["version"], answer["live_on"], answer["workers"]) == (2, 2, 2)
    assert answer["digest"] == digest_of(file.read_bytes())
    assert response.headers["etag"] == f'"{answer["digest"]}"'
    assert 0 < answer["milliseconds"] < 5000
    assert answer["undo"] == {"rollback": {"version": 1}}


@pytest.mark.parametrize("tag", ['"000000000000"', f'W/"{DIGEST}"', DIGEST, '""'])
async def test_a_change_of_what_has_changed_meanwhile_is_refused(
    admin: httpx.AsyncClient, file: Path, tag: str
) -> None:
    response = await admin.post("/api/v1/changes", json=HALF, headers={"if-match": tag})
    assert (response.status_code, response.json()["kind"]) == (412, "changed-underneath")
    assert response.headers["etag"] == CURRENT["if-match"]
    assert file.read_text() == ROUTES


async def test_a_save_that_is_not_live_yet_counts(admin: httpx.AsyncClient, file: Path) -> None:
    file.write_text(ROUTES + "# saved\n")
    response = await admin.post("/api/v1/changes", json=HALF, headers=CURRENT)
    assert response.status_code == 412
    assert response.headers["etag"] == f'"{digest_of(file.read_bytes())}"'


async def test_without_if_match_nothing_is_changed(admin: httpx.AsyncClient, file: Path) -> None:
    response = await admin.post("/api/v1/changes", json=HALF)
    assert (response.status_code, response.json()["kind"]) == (428, "if-match-missing")
    assert file.read_text() == ROUTES


@pytest.mark.parametrize("tag", ["*", f'"000000000000", "{DIGEST}"'])
@pytest.mark.usefixtures("changing")
async def test_whatever_there_is_and_one_of_several_match(
    admin: httpx.AsyncClient, running: Running, file: Path, tag: str
) -> None:
    following = asyncio.create_task(Followers(running, file, many=1).follow())
    assert (await admin.post("/api/v1/changes", json=HALF, headers={"if-match": tag})).status_code == 200
    await following


@pytest.mark.usefixtures("changing")
async def test_a_change_that_does_not_become_live_is_said_to_be_written(
    admin: httpx.AsyncClient, running: Running, file: Path
) -> None:
    Followers(running, file).workers[0].digest = "0" * 12
    response = await admin.post("/api/v1/changes", json=HALF, headers=CURRENT)
    assert (response.status_code, response.json()["kind"]) == (504, "not-live")
    assert "live on 0 of 2 workers" in response.json()["detail"]
    assert file.read_text() != ROUTES


@pytest.mark.usefixtures("changing")
async def test_what_the_workers_refuse_is_told_with_their_reasons(
    admin: httpx.AsyncClient, running: Running, file: Path
) -> None:
    following = asyncio.create_task(Followers(running, file).follow(refuse=True))
    response = await admin.post("/api/v1/changes", json=HALF, headers=CURRENT)
    await following
    answer = response.json()
    assert (response.status_code, answer["kind"]) == (409, "refused")
    assert answer["problems"] == ["routes.yaml:4:9: the app cannot be imported"]


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"move": {"route": "/boks", "backend": "new"}}, 422, "unknown-route"),
        ({"move": {"route": "/books/new", "backend": "nwe"}}, 422, "unknown-backend"),
        ({"move": {"route": "/books/new", "backend": "new"}}, 409, "nothing-changes"),
        ({"split": {"route": "/books/new", "weights": {"new": 60, "legacy": 60}}}, 422, "bad-weights"),
        ({"rollback": {"version": 7}}, 404, "unknown-version"),
        ({"rollback": {}}, 409, "nothing-to-undo"),
    ],
)
async def test_what_cannot_be_done_is_told_with_its_kind(
    admin: httpx.AsyncClient, change: dict[str, Any], status: int, kind: str
) -> None:
    for path in ("/api/v1/plan", "/api/v1/changes"):
        response = await admin.post(path, json={"change": change}, headers=CURRENT)
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.status_code, response.json()["kind"]) == (status, kind)


async def test_a_bad_file_is_told_with_its_lines(admin: httpx.AsyncClient, file: Path) -> None:
    file.write_text("version: 2\n")
    response = await admin.post("/api/v1/plan", json=HALF)
    answer = response.json()
    assert (response.status_code, answer["kind"]) == (409, "bad-file")
    assert any(each.startswith("routes.yaml:1:10: ") for each in answer["problems"])


async def test_what_does_not_fit_the_schema_is_a_problem_document(admin: httpx.AsyncClient) -> None:
    body = {"change": {"split": {"route": "/books", "weights": {"new": 250}}}, "secret": "hunter2"}
    response = await admin.post("/api/v1/changes", json=body, headers=CURRENT)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [each.partition(":")[0] for each in response.json()["problems"]] == [
        "body.change.split.weights.new",
        "body.secret",
    ]
    assert "hunter2" not in response.text


async def test_no_plan_shows_a_secret(admin: httpx.AsyncClient, file: Path) -> None:
    lines = ROUTES.splitlines(keepends=True)
    file.write_text("".join([*lines[:-1], "  # here\n", lines[-1]]) + "override: {secret: hunter2-hunter2}\n")
    response = await admin.post("/api/v1/plan", json={"change": {"rollback": {"route": "/books/new"}}})
    assert "secret: ********" in response.json()["diff"]
    assert "hunter2" not in response.text
