from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from gateway.config.loader import digest_of
from gateway.control.admin.running import Running
from gateway.history.history import History
from gateway.migrate.saved import NAME, to_text
from gateway.migrate.target import Target
from tests.control.admin.conftest import ROUTES, Worker

TARGETS = (
    Target("/books/<id>", "/books/{id}", "GET", both=True),
    Target("/books/new", "/books/new", "POST", both=True),
    Target("/<b>", "/{b}", "GET"),
    Target("/health", "/health", "GET", only_new=True),
)


@pytest.fixture
def folder(running: Running, tmp_path: Path) -> Path:
    """The state folder, with what `gateway coverage --save` has left in it."""
    running.live.history = History(tmp_path / "state")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / NAME).write_text(to_text(1_700_000_000.0, "legacy", "new", TARGETS))
    return tmp_path / "state"


def texts(page: str) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("&lt;", "<").replace("&gt;", ">")


async def test_without_a_list_of_endpoints_it_says_how_to_make_one(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/coverage")
    assert answer.status_code == 200
    assert "gateway coverage --save" in answer.text


async def test_every_endpoint_has_its_state(folder: Path, admin: httpx.AsyncClient, worker: Worker) -> None:
    worker.serve(3, "GET /books/{id}", "legacy")
    worker.serve(1, "GET /books/{id}", "new")
    page = texts((await admin.get("/coverage")).text)
    assert "1 of 3 endpoints and methods have moved" in page
    assert "Endpoints as of 2023-11-14 22:13:20 UTC" in page
    assert "GET /books/<id> canary 10 % GET /books/{id} 4" in page
    assert "POST /books/new moved /books/new 0 dead" in page
    assert "GET /<b> legacy only default 0 dead" in page
    assert "GET /health new only, closed default" in page
    assert "25.0 % of 4 requests" in page
    assert "gateway split 'GET /books/{id}' new=25" in page.replace("&#39;", "'")


async def test_what_was_left_is_drawn_from_the_history(
    folder: Path, running: Running, admin: httpx.AsyncClient
) -> None:
    first = ROUTES.replace("to: new", "to: legacy")
    for number, text in ((1, first), (2, "version: 2\n"), (3, None), (4, ROUTES)):
        digest = digest_of((text or "gone").encode())
        running.live.history.record(number, digest, text, at=100.0 * number)
    page = (await admin.get("/coverage")).text
    assert '<path class="line hue-1" d="M0 2H0V20.7H300"/>' in page
    assert "<b>2</b> of 3" in page


async def test_a_list_that_cannot_be_read(folder: Path, admin: httpx.AsyncClient) -> None:
    (folder / NAME).write_text("{")
    assert "What is kept cannot be read: not a coverage" in (await admin.get("/coverage")).text


async def test_what_an_app_calls_its_endpoints_is_only_text(folder: Path, admin: httpx.AsyncClient) -> None:
    target = Target("/<script>alert(1)</script>", "/x", "GET", remarks=("<img src=x>",))
    (folder / NAME).write_text(to_text(1.0, "legacy", "new", (target,)))
    page = (await admin.get("/coverage")).text
    assert "<script>alert" not in page
    assert "<img" not in page
