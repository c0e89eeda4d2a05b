"""Requests with ids of their own, for as long as a block lasts, and the judgement on each."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.faults.answer import FAILURES, Asked, Judged, Verdict, read_and_judge
from tests.faults.background import Background
from tests.faults.stamped import Wanted

# Of the answers' filling, in bytes: most fit into one packet, some do not, a few are more than anybody buffers.
_SIZES = (*(0, 10, 100, 1000) * 10, *(3000,) * 5, 20_000, 20_000, 200_000)


class Traffic:
    """Reads and writes over ``connections`` connections that are kept; ``depth`` requests are sent at once on each.

    A ``share`` of the requests carries one of ``faults`` for the backend. They ask for answers of these ``sizes``, a
    share of them in ``chunks``. The gateway may answer one of ``failures``. Each connection waits about ``pause``
    seconds between two turns. What has no end after ``within`` seconds is lost.

    ``refused`` counts connections that were not taken: what would have gone over them was never sent.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 6,
        depth: int = 1,
        methods: Sequence[str] = ("GET", "POST", "GET", "PUT"),
        faults: Sequence[str] = (),
        share: float = 0.3,
        pause: float = 0.01,
        within: float = 10.0,
        sizes: Sequence[int] = _SIZES,
        chunks: float = 0.3,
        failures: Collection[int] = FAILURES,
        seed: int = 0,
    ) -> None:
        self.asked: dict[str, Asked] = {}
        self.judged: dict[str, Judged] = {}
        self.refused = 0
        parts = urlsplit(url)
        self._place = parts.hostname, parts.port
        self._connections = connections
        self._depth = depth
        self._methods = methods
        self._faults = faults
        self._share = share
        self._pause = pause
        self._within = within
        self._sizes = sizes
        self._chunks = chunks
        self._failures = failures
        self._random = random.Random(seed)
        self._prefix = uuid.uuid4().hex[:8]
        self._numbers = itertools.count()
        self._ended = False

    def __enter__(self) -> Self:
        self._background = Background()
        self._running = [
            asyncio.run_coroutine_threadsafe(self._converse(), self._background.loop) for _ in range(self._connections)
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        try:
            for each in self._running:
                each.result(self._within + 10)
        finally:
            self._background.stop()

    def of(self, verdict: Verdict, *, method: str = "", fault: str | None = None) -> list[str]:
        """The ids of the requests that ended so far with this verdict."""
        return [
            name
            for name, judged in self._so_far().items()
            if judged.verdict is verdict
            and method in ("", self.asked[name].method)
            and fault in (None, self.asked[name].fault)
        ]

    def right(self) -> int:
        """How many were answered right so far."""
        return len(self.of(Verdict.RIGHT))

    def apps(self) -> Counter[str]:
        """Who gave the right answers."""
        return Counter(judged.app for judged in self._so_far().values() if judged.verdict is Verdict.RIGHT)

    def reasons(self, *verdicts: Verdict) -> Counter[str]:
        """What is not right, with the number of times."""
        return Counter(
            f"{self.asked[name].method}: {each.verdict.value}: {each.reason}"
            for name, each in self._so_far().items()
            if each.verdict in (verdicts or (Verdict.BROKEN, Verdict.WRONG, Verdict.LOST))
        )

    def _so_far(self) -> dict[str, Judged]:
        # In one step: the other thread adds to it.
        return self.judged.copy()

    async def _converse(self) -> None:
        while not self._ended:
            try:
                reader, writer = await asyncio.open_connection(*self._place, limit=1 << 20)
            except OSError:
                self.refused += 1
                await asyncio.sleep(0.02)
                continue
            try:
                while not self._ended and await self._turn(reader, writer):
                    await asyncio.sleep(self._pause * (0.5 + self._random.random()))
            finally:
                writer.transport.abort()
                # Not before the socket is closed: the loop may be, too.
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send a few requests and take their answers. Returns whether the connection may be used again."""
        batch = [self._next() for _ in range(self._depth)]
        for asked in batch:
            self.asked[asked.wanted.name] = asked
        # What cannot be sent is seen when the answer is read.
        writer.write(b"".join(asked.encoded() for asked in batch))
        last = False
        for asked in batch:
            judged = await read_and_judge(reader, asked, self._within, self._failures)
            self.judged[asked.wanted.name] = judged
            last = last or judged.last
        if not last and (unasked := reader._buffer):  # type: ignore[attr-defined] # there is no other way to see it
            name = batch[-1].wanted.name
            self.judged[name] = Judged(Verdict.WRONG, f"more than its answer: {bytes(unasked[:80])!r}", last=True)
            return False
        return not last

    def _next(self) -> Asked:
        number = next(self._numbers)
        choose = self._random
        chunked = choose.random() < self._chunks
        wanted = Wanted(f"{self._prefix}-{number}", choose.choice(self._sizes), chunked)
        method = choose.choice(self._methods)
        body = b""
        if method != "GET":
            body = wanted.name.encode() * choose.choices((1, 10, 100, 1000, 10_000), (10, 10, 5, 2, 1))[0]
        fault = choose.choice(self._faults) if self._faults and choose.random() < self._share else ""
        return Asked(method, wanted, body, fault, chunked=method != "GET" and choose.random() < 0.3)
