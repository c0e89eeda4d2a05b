"""What the pages say when a change does not go through; that it does is tried with a running gateway."""

from __future__ import annotations

import httpx
import pytest

from gateway.config.loader import digest_of
from tests.control.admin.conftest import ROUTES, admin, changing, events, numbers, running  # noqa: F401 - fixtures

DIGEST = digest_of(ROUTES.encode())


async def press(admin: httpx.AsyncClient, change: str, digest: str = DIGEST) -> httpx.Response:  # noqa: F811
    form = {"change": change, "digest": digest}
    return await admin.post("/apply", data=form, headers={"origin": "http://127.0.0.1:8001"})


async def test_what_no_worker_serves_in_time_is_not_said_to_be_live(admin: httpx.AsyncClient) -> None:  # noqa: F811
    answer = await press(admin, '{"rollback": {"route": "/books/new"}}')
    assert answer.status_code == 504
    assert "<h1>It was written, but is not live everywhere yet</h1>" in answer.text
    assert "live on 0 of 0 workers" in answer.text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ('{"rollback": {"route": "/nowhere"}}', 422, "No route is called"),
        ('{"rollback": {"version": 7}}', 404, "There is no version 7"),
        ('{"move": {"route": "/books/new", "backend": "new"}}', 409, "nothing changes"),
    ],
)
async def test_a_change_that_cannot_be_made_says_why_and_what_to_do(
    admin: httpx.AsyncClient,  # noqa: F811
    change: str,
    status: int,
    said: str,
) -> None:
    answer = await press(admin, change)
    assert answer.status_code == status
    assert "<h1>Nothing was changed</h1>" in answer.text
    assert said in answer.text


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ('{"rollback": {"all": true}}', "Roll every route back"),
        ('{"rollback": {"version": 1}}', "Restore version 1"),
        ('{"rollback": {}}', "Undo the last change"),
        ('{"rollback": {"route": "/books/new"}}', "Roll back /books/new"),
        ('{"move": {"route": "/books/new", "backend": "legacy"}}', "Move /books/new to legacy"),
        ('{"split": {"route": "/books/new", "weights": {"new": 5}}}', "Split /books/new"),
        ("{}", "No such change"),
    ],
)
async def test_a_plan_has_a_title(admin: httpx.AsyncClient, change: str, title: str) -> None:  # noqa: F811
    answer = await admin.get("/plan", params={"change": change})
    assert answer.status_code == 200
    assert f"<h1>{title}</h1>" in answer.text


async def test_a_plan_for_a_text_that_is_gone_is_made_anew(admin: httpx.AsyncClient) -> None:  # noqa: F811
    answer = await press(admin, '{"rollback": {"route": "/books/new"}}', digest="000000000000")
    assert answer.status_code == 412
    assert "Somebody has changed the routes" in answer.text
    assert f'name="digest" value="{DIGEST}"' in answer.text
    assert "+  - {path: /books/new, to: legacy}" in answer.text
