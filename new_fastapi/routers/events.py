"""/events/catalogue: what is added to the catalogue, as server-sent events, whichever app adds it.

Each event's id says how far the stream has come in all three tables, ``books-products-items``. A browser that lost the
connection sends it back as Last-Event-ID, and is first told what it missed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Sessions
from ..faithful.errors import Problem
from ..live.broadcast import Full, Listener
from ..live.feed import Feed
from ..models import LARGEST_ID, Book, Item, Product
from ..schemas import BookOut, FromRow, ItemOut, ProductOut

router = APIRouter(prefix="/events", tags=["events"])

KINDS: dict[Any, tuple[str, type[FromRow]]] = {
    Book: ("book", BookOut),
    Product: ("product", ProductOut),
    Item: ("item", ItemOut),
}
MOST_MISSED = 100  # of each kind; whoever was away longer reads the catalogue anew
RECONNECT = 2000  # milliseconds


class Position:
    """The last id seen of each kind, in the order of KINDS."""

    def __init__(self, ids: list[int]) -> None:
        self._ids: dict[Any, int] = dict(zip(KINDS, ids, strict=True))

    @classmethod
    def parse(cls, text: str | None) -> Position | None:
        if text is None or not re.fullmatch(r"[0-9]{1,10}(-[0-9]{1,10}){2}", text):
            return None
        return cls([min(int(part), LARGEST_ID) for part in text.split("-")])

    @classmethod
    async def now(cls, session: AsyncSession) -> Position:
        return cls([await session.scalar(select(func.max(kind.id))) or 0 for kind in KINDS])

    def __str__(self) -> str:
        return "-".join(map(str, self._ids.values()))

    def after(self, kind: Any) -> int:
        return self._ids[kind]

    def event(self, row: Any) -> ServerSentEvent:
        """The event of ``row``, and a step forward."""
        kind = type(row)
        self._ids[kind] = max(self._ids[kind], row.id)
        name, schema = KINDS[kind]
        return ServerSentEvent(event=name, id=str(self), data=schema.model_validate(row))


async def new_rows(request: Request) -> AsyncIterator[Listener[Any]]:
    """A dependency, so that it can refuse: once a stream has begun, its status is 200."""
    feed: Feed = request.state.catalogue
    try:
        async with feed.listening() as listener:
            yield listener
    except Full:
        raise Problem(503, "Too many are listening already.") from None


@router.get("/catalogue", response_class=EventSourceResponse, name="catalogue_events")
async def catalogue(
    request: Request,
    listener: Annotated[Listener[Any], Depends(new_rows)],
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """`event: book`, `product` or `item`; `data` is what the API would give for it."""
    sessions: Sessions = request.state.sessions
    position = Position.parse(last_event_id)
    missed: list[Any] = []
    async with sessions() as session:
        if position is None:
            position = await Position.now(session)
        else:
            missed = await _since(position, session)
    # The first bytes at once: proxies and people see that the stream is there.
    yield ServerSentEvent(comment="listening to the catalogue", retry=RECONNECT, id=str(position))
    told = {(type(row), row.id) for row in missed}
    for row in missed:
        yield position.event(row)
    async for row in listener:
        if (type(row), row.id) not in told:
            yield position.event(row)


async def _since(position: Position, session: AsyncSession) -> list[Any]:
    rows: list[Any] = []
    for kind in KINDS:
        later = select(kind).where(kind.id > position.after(kind)).order_by(kind.id).limit(MOST_MISSED)
        rows += (await session.scalars(later)).all()
    return sorted(rows, key=lambda row: row.created_at)
