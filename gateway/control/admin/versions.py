"""`GET /api/v1/history` and `GET /api/v1/diff`: every version that was live."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from gateway.change.described import described
from gateway.change.diff import unified
from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from gateway.control.admin.masking import masked
from gateway.control.admin.problem import Refusal
from gateway.history.entry import Entry
from gateway.history.history import History

Number = Annotated[int, Field(ge=1, le=2**53)]


class VersionView(BaseModel):
    """``at`` is when it became live, in seconds since the epoch. ``user`` and ``reason`` are "" where nobody said.

    ``undone_to`` is the version that a roll-back without arguments went back to.
    """

    version: int
    digest: str
    at: float
    origin: Literal["start", "file", "command", "api"]
    user: str
    reason: str
    changes: str
    undone_to: int | None


class VersionText(VersionView):
    """``text`` is null where it is not kept any more."""

    text: str | None


class HistoryView(BaseModel):
    versions: list[VersionView] = Field(description="The newest first.")
    total: int


class DiffView(BaseModel):
    """``changes`` is the difference in a line, "" where a version does not load any more."""

    diff: str
    changes: str


def history_routes(history: History) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["changing"])

    @router.get("/history")
    async def versions(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> HistoryView:
        """Every version that was live."""
        entries = history.entries()
        return HistoryView(versions=[_view(entry) for entry in entries[: -limit - 1 : -1]], total=len(entries))

    @router.get("/history/{version}")
    async def version(version: Annotated[int, Path(ge=1, le=2**53)]) -> VersionText:
        """One version, with its text. A secret in it is masked."""
        entry = _entry(history, version)
        text = await asyncio.to_thread(_text, history, version)
        return VersionText(**_view(entry).model_dump(), text=None if text is None else masked(text))

    @router.get("/diff")
    async def diff(
        before: Annotated[Number, Query(alias="from")], after: Annotated[Number, Query(alias="to")]
    ) -> DiffView:
        """The difference between two versions. A secret in it is masked."""
        for each in (before, after):
            _entry(history, each)
        old, new = [await asyncio.to_thread(_text, history, each) for each in (before, after)]
        if old is None or new is None:
            raise Refusal(404, "the text of one of them is not kept any more", kind="text-not-kept")
        lines = unified(old, new, f"version {before}", f"version {after}")
        return DiffView(diff=masked(lines, old, new), changes=_described(old, new))

    return router


def _view(entry: Entry) -> VersionView:
    return VersionView(
        version=entry.version,
        digest=entry.digest,
        at=entry.at,
        origin=entry.origin,
        user=entry.user,
        reason=entry.reason,
        changes=entry.changes,
        undone_to=entry.undone_to,
    )


def _entry(history: History, version: int) -> Entry:
    for entry in history.entries():
        if entry.version == version:
            return entry
    raise Refusal(404, f"there is no version {version}; GET /api/v1/history lists them", kind="unknown-version")


def _text(history: History, version: int) -> str | None:
    try:
        return history.text(version)
    except KeyError:
        return None


def _described(old: str, new: str) -> str:
    try:
        before, after = (load_text(text, keep_unset=True).config for text in (old, new))
    except ConfigError:
        return ""
    return described(before, after)
