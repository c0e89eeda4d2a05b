"""The sample migration over PostgreSQL: what DATABASE_URL names, both apps use."""

from __future__ import annotations

import httpx
import pytest

from tests.behaviour import postgresql
from tests.behaviour.process import ROOT, GatewayProcess

PROGRAMS = postgresql.programs()


@pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed")
def test_both_apps_share_one_postgresql_database() -> None:
    assert PROGRAMS is not None
    with (
        postgresql.server(PROGRAMS) as database,
        GatewayProcess(ROOT / "routes.yaml", workers=2, env={"DATABASE_URL": database}) as shop,
        httpx.Client(base_url=shop.url) as browser,
    ):
        assert browser.get("/").status_code == 200
        assert browser.get("/books/7").json()["title"] == "The Time Machine"
        login = {"email": "alice@example.com", "password": "wonderland"}
        assert browser.post("/sessions", json=login).status_code == 201
        # POST and DELETE are Flask's, GET is FastAPI's.
        book = browser.post("/books", json={"title": "Middlegame", "author": "S. McGuire"})
        assert book.status_code == 201
        assert browser.get(book.headers["location"]).json()["title"] == "Middlegame"
        assert browser.delete(book.headers["location"]).status_code == 204
        assert browser.get(book.headers["location"]).status_code == 404
        assert browser.get("/reports/sales.csv").text.count("\n") > 1000
