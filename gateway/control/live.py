"""What the control process knows of the configuration: which version serves, where, and whether the file is good."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from gateway.change.described import described
from gateway.config.loader import Loaded, load_text
from gateway.config.model import RouteConfig
from gateway.config.problem import ConfigError, Problem
from gateway.config.rule_of import rule_of
from gateway.control.lineage import Lineage
from gateway.control.messages import Ready, Reloaded
from gateway.control.options import text_path
from gateway.control.process import State, WorkerProcess
from gateway.history.entry import Origin
from gateway.history.history import History
from gateway.routing.table import Table

logger = logging.getLogger("gateway.control")

# Seconds after which every worker has told of the newest version, unless an app holds it up: saves by saves that come
# within less, one that is late may be on any of those with its text.
SETTLED: Final = 5.0


class LiveConfig:
    """Kept up to date by what the workers tell. All times are seconds since the epoch.

    A version is live as soon as one worker serves it, and is announced in the log when all of them do. Its number is
    that of the ``history``, which goes on over restarts: the text that was live last keeps its number.
    """

    def __init__(self, loaded: Loaded, runtime: Path, history: History | None = None) -> None:
        self.history = history if history is not None else History(None)
        self.loaded = loaded
        before = self.history.entries()[-1:]
        self._known = bool(before) and before[0].digest == loaded.digest
        self.version = before[0].version + (not self._known) if before else 1
        self.since = time.time()
        self.problems: tuple[Problem, ...] = ()
        # They are that there is no file.
        self.missing = False
        self.applied = 0
        self.rejected = 0
        self.last_reload = self.since
        # Called when another version is live, after it can be seen here.
        self.on_change: list[Callable[[], None]] = []
        self._runtime = runtime
        self._lineage = Lineage(loaded.digest, self.version)
        self._newest_since = time.monotonic()
        self._confirmed = False
        self._announced = self.version
        self._changes = ""
        self._slowest = 0.0
        self._routes: list[RouteConfig] | None = None
        # Reading a version takes a while, and the next message must not overtake it.
        self._order = asyncio.Lock()
        self._savings: set[asyncio.Task[None]] = set()

    @property
    def routes(self) -> list[RouteConfig]:
        """In order of precedence."""
        if self._routes is None:
            config = self.loaded.config
            self._routes = Table([(rule_of(route), route) for route in config.routes]).in_order()
        return self._routes

    @property
    def last_good(self) -> str:
        """The digest of what a new worker can fall back on; "" before any worker has served."""
        return self._lineage.digest if self._confirmed else ""

    async def note(self, worker: WorkerProcess, message: Ready | Reloaded, workers: Collection[WorkerProcess]) -> None:
        """A worker has started, or has looked at the file. ``workers`` are all there are."""
        async with self._order:
            known = self._lineage.version
            settled = time.monotonic() - self._newest_since > SETTLED
            if settled:
                for each in workers:
                    each.version = self._lineage.settled(each.version)
            worker.version = self._lineage.arrived(message.digest, worker.version)
            if settled:
                worker.version = self._lineage.settled(worker.version)
            if worker.version > known:
                await self._adopt(message.digest)
            elif not self._confirmed and not self._known:
                self._changes = await asyncio.to_thread(self._since_last_run)
                self._record(self.loaded.digest, self.loaded.text)
            self._confirmed = True
            if isinstance(message, Reloaded):
                self._count(worker, message, known)
            self._tell([each for each in workers if each.state is State.READY])

    async def _adopt(self, digest: str) -> None:
        """Read what the worker has put down. It was good for the worker, so it is good here."""
        path = text_path(self._runtime, digest)
        name = self.loaded.source
        try:
            loaded = await asyncio.to_thread(lambda: load_text(path.read_bytes(), name))
        except (OSError, ConfigError) as error:
            logger.error("version %d serves, but cannot be shown: %s", self._lineage.version, error)
            self._changes = "what changed is not known"
            self._record(digest, None)
            return
        finally:
            # Not before: whoever asks meanwhile gets a version together with its own routes.
            self.version = self._lineage.version
            self._newest_since = time.monotonic()
        self._changes = described(self.loaded.config, loaded.config)
        text_path(self._runtime, self.loaded.digest).unlink(missing_ok=True)
        self.loaded, self.since, self._slowest, self._routes = loaded, time.time(), 0.0, None
        self._record(digest, loaded.text)
        for listener in self.on_change:
            listener()

    def _record(self, digest: str, text: str | None) -> None:
        origin: Origin = "file" if self._confirmed else "start"
        self.history.record(self._lineage.version, digest, text, at=time.time(), origin=origin, changes=self._changes)
        # The disk may take its time; the next worker's message need not wait for it.
        saving = asyncio.create_task(asyncio.to_thread(self.history.save))
        self._savings.add(saving)
        saving.add_done_callback(self._savings.discard)

    def _since_last_run(self) -> str:
        """What the first version of this run changes against the last one of the run before."""
        entries = self.history.entries()
        if not entries:
            return "the first version"
        try:
            before = load_text(self.history.text(entries[-1].version), self.loaded.source, keep_unset=True)
        except (KeyError, ConfigError):
            return "what changed is not known"
        return described(before.config, self.loaded.config)

    def _count(self, worker: WorkerProcess, message: Reloaded, known: int) -> None:
        if message.outcome != "missing":
            self.last_reload = message.at
        if message.outcome == "applied":
            self._slowest = max(self._slowest, message.seconds)
            self.applied += worker.version > known
        elif message.outcome == "rejected" and message.problems != self.problems:
            self.rejected += 1

    def _tell(self, ready: list[WorkerProcess]) -> None:
        problems = tuple(sorted({problem for each in ready for problem in each.rejected}))
        if problems != self.problems:
            self.problems = problems
            self.missing = any(each.missing for each in ready)
            for problem in problems:
                logger.error("%s", problem)
            if problems:
                what = "missing" if self.missing else "refused"
                logger.error("%s is %s; version %d stays live", self.loaded.source, what, self.version)
            elif self._announced == self.version:
                logger.info("%s is good again; version %d stays live", self.loaded.source, self.version)
        if self._announced < self.version and all(self._lineage.is_newest(each.version) for each in ready):
            self._announced = self.version
            logger.info(
                "%s version %d is live, in %.0f ms: %s",
                self.loaded.source,
                self.version,
                self._slowest * 1000,
                self._changes,
            )
