"""What several pages have in common: the line that says what is live, and what the asking person may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request, Response

from gateway.config.problem import ConfigError
from gateway.config.source import read
from gateway.control.admin.masking import masked
from gateway.control.admin.running import Running
from gateway.control.admin.status import Status
from gateway.control.admin.tokens import Right
from gateway.control.dashboard.excerpt import Line, excerpt
from gateway.control.dashboard.overview import overview
from gateway.control.dashboard.past import past, undo

# Remembers a person's name for the history, in his own browser.
_USER_COOKIE = "gateway_user"
_YEAR = 365 * 24 * 3600


def surroundings(request: Request, running: Running, file: Path, status: Status, back: str) -> dict[str, Any]:
    """What _config.html shows. ``back`` is the label of the route to return to after a change, "" for the overview."""
    view = overview(status)
    entries = running.live.history.entries()
    return {
        "view": view,
        "file": file.name,
        "excerpt": _excerpt(file, view.problems),
        "last": past(entries)[0] if entries else None,
        "undo": undo(entries, file.name, bool(view.problems)),
        "done": _done(request, view.version),
        "digest": view.digest,
        "back": back,
        "may_change": may_change(request),
        "user": user(request),
    }


def may_change(request: Request) -> bool:
    right: Right = request.state.right
    return right >= Right.CHANGE


def user(request: Request) -> str:
    return unquote(request.cookies.get(_USER_COOKIE, ""))[:100]


def remember_user(response: Response, name: str) -> None:
    response.set_cookie(_USER_COOKIE, quote(name), max_age=_YEAR, httponly=True, samesite="strict")


def _done(request: Request, version: int) -> str:
    """How many milliseconds the version took to become live, right after it was asked for here; otherwise ""."""
    applied, milliseconds = request.query_params.get("applied"), request.query_params.get("ms", "")
    return milliseconds[:6] if applied == str(version) and milliseconds.isdecimal() else ""


def _excerpt(file: Path, problems: tuple[str, ...]) -> tuple[Line, ...]:
    if not problems:
        return ()
    try:
        return excerpt(masked(read(file, file.name).decode("utf-8", "replace")), problems)
    except ConfigError:
        return ()
