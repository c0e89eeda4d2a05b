"""Templates, and what they may call."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.control.dashboard import words
from gateway.control.dashboard.overview import MEASURES


def page(name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page that the template ``name`` makes. Everything in ``context`` is escaped."""
    return HTMLResponse(_templates.get_template(name).render(now=time.time(), **context), status)


def plan_link(change: Mapping[str, Any]) -> str:
    """The page that shows what ``change``, as the admin API takes it, would do."""
    return f"/plan?{urlencode({'change': json.dumps(change)})}"


def _hue_class(hue: int) -> str:
    return f"hue-{hue}" if hue >= 0 else "hue-split"


_templates = Environment(
    loader=PackageLoader("gateway.control.dashboard"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
# Not jinja's own tojson: it escapes for a script, and this goes into attributes, which escape by themselves.
_templates.filters.update(json=json.dumps, query=urlencode)
_templates.globals.update(
    hue_class=_hue_class, iso=words.iso, measures=MEASURES, moment=words.moment, plan_link=plan_link
)
