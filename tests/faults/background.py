"""An event loop in a thread of its own: traffic goes on while a test waits, kills and asks."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")


class Background:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result], timeout: float = 30.0) -> Result:
        """Wait until ``work`` is done in the loop. Raises what it raises, or TimeoutError."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def stop(self) -> None:
        """End what still runs."""
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class BackgroundServer(ABC):
    """Within the block it listens at ``url``."""

    url = ""

    def __enter__(self) -> Self:
        self._background = Background()
        self._server = self._background.run(self._listen())
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._background.run(self._close())
        self._background.stop()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20, backlog=1024)

    async def _close(self) -> None:
        self._server.close()

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Closes ``writer``."""
