from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from tests.migrate.lint.shop import told


def new_app(*paths: str, method: str = "GET") -> FastAPI:
    app = FastAPI(openapi_url=None)
    for number, path in enumerate(paths):
        app.add_api_route(path, _answering(number), methods=["GET" if number == 0 else method])
    return app


def _answering(number: int) -> Callable[[], int]:
    return lambda: number


LATE = "in the new app, GET /u/{id} is declared before GET /u/me, and takes all of its requests"


@pytest.mark.parametrize(
    ("paths", "routes", "expected"),
    [
        (("/u/{id}", "/u/me"), "  - {path: /u/me, to: new}\n", [LATE]),
        (("/u/{id}", "/u/me"), '  - {path: "/u/{id}", to: new}\n', [LATE]),
        (("/u/{id}", "/u/me"), "  - {path: /u/me, to: legacy}\n", [f"note: {LATE}"]),
        (("/u/{id}", "/u/me"), "", [f"note: {LATE}"]),
        (("/u/me", "/u/{id}"), "  - {path: /u/me, to: new}\n", []),
        (("/u/{id:int}", "/u/me"), "  - {path: /u/me, to: new}\n", []),
        (("/u/{id}", "/u/me/books"), "  - {path: /u/me/books, to: new}\n", []),
    ],
)
def test_declared_too_late(paths: tuple[str, ...], routes: str, expected: list[str]) -> None:
    assert told("SG401", None, new_app(*paths), routes) == expected


def test_another_method_is_reached() -> None:
    assert told("SG401", None, new_app("/u/{id}", "/u/me", method="POST"), "  - {path: /u/me, to: new}\n") == []


async def test_fastapi_does_so() -> None:
    # What the rule is there for: the id of this user is "me".
    transport = httpx.ASGITransport(new_app("/u/{id}", "/u/me"))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/u/me")).json() == 0
