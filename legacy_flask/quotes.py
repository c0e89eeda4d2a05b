"""/quote-of-the-day: an async view, which Flask runs in an event loop of its own for each request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from flask import Blueprint
from flask.typing import ResponseReturnValue

from .models import utc_now

bp = Blueprint("quotes", __name__)

QUOTES = Path(__file__).parent / "data" / "quotes.json"


@bp.get("/quote-of-the-day")
async def quote_of_the_day() -> ResponseReturnValue:
    quotes = json.loads(await asyncio.to_thread(QUOTES.read_text, encoding="utf-8"))
    today = utc_now().date()
    chosen = quotes[today.toordinal() % len(quotes)]
    return {"author": chosen["author"], "quote": chosen["quote"], "date": today}
