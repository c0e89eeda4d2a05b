"""One sender, many listeners, and bounds on both: how many may listen, and how far one may fall behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Full(Exception):
    """As many listen as may."""


class Listener(Generic[T]):
    """Iterates over what is published, until dropped for falling behind or until the broadcast closes."""

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._waiting: asyncio.Queue[T | None] = asyncio.Queue()
        #: Set when no more will come. Wait for it beside whatever may block the iteration, such as a slow client.
        self.ended = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        item = None if self.ended.is_set() else await self._waiting.get()
        if item is None:
            raise StopAsyncIteration
        return item

    def _offer(self, item: T) -> None:
        if self._waiting.qsize() < self._backlog:
            self._waiting.put_nowait(item)
        else:
            self._end()

    def _end(self) -> None:
        self.ended.set()
        self._waiting.put_nowait(None)  # wakes an iteration that waits


class Broadcast(Generic[T]):
    """``most`` may listen at once; whoever is ``backlog`` items behind is dropped rather than waited for."""

    def __init__(self, *, most: int, backlog: int) -> None:
        self._most = most
        self._backlog = backlog
        self._listeners: set[Listener[T]] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[Listener[T]]:
        """Raises Full."""
        if len(self._listeners) >= self._most:
            raise Full
        listener: Listener[T] = Listener(self._backlog)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def publish(self, item: T) -> None:
        for listener in self._listeners:
            listener._offer(item)

    def close(self) -> None:
        """End every listener."""
        for listener in self._listeners:
            listener._end()
