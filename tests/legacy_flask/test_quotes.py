from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from legacy_flask import quotes


def test_quote(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "utc_now", lambda: datetime(2026, 1, 2, 23, 59))
    response = client.get("/quote-of-the-day")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["date"] == "Fri, 02 Jan 2026 00:00:00 GMT"
    assert set(response.json) == {"author", "date", "quote"}


def test_another_day_another_quote(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for day in range(1, 11):
        monkeypatch.setattr(quotes, "utc_now", lambda day=day: datetime(2026, 1, day))
        seen.add((client.get("/quote-of-the-day").json or {})["quote"])
    assert len(seen) == 10


def test_the_view_is_async() -> None:
    assert asyncio.iscoroutinefunction(quotes.quote_of_the_day)
