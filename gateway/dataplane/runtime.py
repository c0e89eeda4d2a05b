"""The changing part of a gateway: which snapshot serves, and how the next one takes its place."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from gateway.backends.registry import BackendProblem, Registry
from gateway.config.loader import Loaded, load_file, load_text
from gateway.config.problem import ConfigError, Problem
from gateway.config.source import Unreadable
from gateway.config.watcher import FileWatcher
from gateway.dataplane.circuit import Circuits
from gateway.dataplane.connections import connections
from gateway.dataplane.gauges import Gauges
from gateway.dataplane.health import HealthWatch
from gateway.dataplane.in_flight import InFlightLimits
from gateway.dataplane.observer import Observer
from gateway.dataplane.reload import Reload
from gateway.dataplane.snapshot import Snapshot, compile_snapshot
from gateway.dataplane.tracing import Traces, no_spans
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.refusals import Refusals
from gateway.telemetry.slots import SlotFile

if TYPE_CHECKING:
    from gateway.telemetry.spans import Spans

log = logging.getLogger("gateway")


class Runtime:
    """Parse, validate, build, then swap with one assignment. What cannot be built never replaces what runs."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        path: str | os.PathLike[str] | None,
        apps: Mapping[str, Any] | None,
        watch: bool,
        slots: SlotFile,
        access_log: AccessLog | None,
        board: Path | None,
        refusals: Refusals,
    ) -> None:
        self.loaded = loaded
        self.snapshot: Snapshot | None = None
        self.on_reload: list[Callable[[Reload], None]] = []
        self.slots = slots
        self._path = path
        self._provided = frozenset(apps or ())
        self._watch = watch and path is not None
        self._registry = Registry(apps)
        self._circuits = Circuits(slots)
        self._limits = InFlightLimits(refusals)
        self._gauges = Gauges(slots, partial(connections, self._registry), self._limits.counts)
        self._health = HealthWatch(self._registry, slots, board)
        self._access_log = access_log
        self._spans: Spans | None = None
        self._watcher: FileWatcher | None = None
        self._watching: asyncio.Task[None] | None = None
        # When the file was last read here, rather than by the watcher.
        self._read_at = 0.0
        # Of the control plane alone: a request never waits for it.
        self._changing = asyncio.Lock()

    @property
    def version(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.version

    async def start(self) -> None:
        """Raises ConfigError. Once it has succeeded, calling it again does nothing."""
        async with self._changing:
            if self.snapshot is not None:
                return
            await self._go_live(self.loaded)
        self._gauges.start()
        if self._access_log is not None:
            self._access_log.start()
        if self._watch:
            self._watching = asyncio.get_running_loop().create_task(self._follow(), name="watch routes.yaml")

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        self._gauges.stop()
        await self._health.stop()
        async with self._changing:
            self.snapshot = None
            await self._registry.stop()
        if self._access_log is not None:
            await self._access_log.stop()
        if self._spans is not None:
            await asyncio.to_thread(self._spans.stop)
            self._spans = None

    async def reload(self, content: bytes | Unreadable | None = None) -> Reload:
        """Read the file and serve what it says, unless it is bad, or says what is served already.

        ``content`` is what was read already, by the watcher that saw it whole.
        """
        begun = perf_counter()
        async with self._changing:
            outcome, problems = await self._read_and_apply(content, begun)
            if content is None and problems and self._watcher is not None:
                # The file may have been half written, or gone for a moment. When it is as it was, that is news.
                self._watcher.forget()
            result = Reload(outcome, self.version, self.loaded.digest, problems, perf_counter() - begun)
        for listener in self.on_reload:
            listener(result)
        return result

    async def _read_and_apply(
        self, content: bytes | Unreadable | None, begun: float
    ) -> tuple[Literal["applied", "unchanged", "rejected", "missing"], tuple[Problem, ...]]:
        if self._path is None:
            return "unchanged", ()
        if content is not None and begun < self._read_at:
            # SIGHUP has had the file read while this content waited its turn: it would bring back the old.
            return "unchanged", ()
        try:
            if isinstance(content, Unreadable):
                raise content
            # In a thread: a long file takes longer to parse than a request may wait.
            if content is None:
                loaded = await asyncio.to_thread(self._load, self._path)
            else:
                loaded = await asyncio.to_thread(load_text, content, source=self.loaded.source, provided=self._provided)
            if self.snapshot is not None and loaded.digest == self.loaded.digest:
                return "unchanged", ()
            await self._go_live(loaded)
        except Unreadable as error:
            return "missing", error.problems
        except ConfigError as error:
            return "rejected", error.problems
        return "applied", ()

    def _load(self, path: str | os.PathLike[str]) -> Loaded:
        self._read_at = perf_counter()
        return load_file(path, provided=self._provided)

    async def _go_live(self, loaded: Loaded) -> None:
        backends, problems = await self._registry.prepare(loaded.config.backends)
        if problems:
            raise ConfigError(_at_its_line(loaded, problem) for problem in problems)
        try:
            traces = await self._traces(loaded)
            observer = None
            if self._access_log is not None or (traces is not None and traces.exported):
                observer = Observer(self._access_log, traces)
            snapshot = compile_snapshot(
                loaded, self.version + 1, backends, self.slots, self._circuits, self._limits, traces, observer
            )
        except BaseException:
            await self._registry.discard(backends)
            raise
        # The swap. Requests that took the old snapshot finish on it.
        self.snapshot = snapshot
        self.loaded = loaded
        self._registry.adopt(backends)
        self._health.follow(loaded.config.backends)
        self._circuits.settle()
        self._limits.settle()

    async def _traces(self, loaded: Loaded) -> Traces | None:
        """Raises ConfigError when spans are wanted that cannot be had."""
        section = loaded.config.tracing
        if section is None:
            return None
        if section.spans and self._spans is None:
            try:
                # In a thread: the import takes longer than a request may wait.
                self._spans = await asyncio.to_thread(_make_spans)
            except ImportError as error:
                raise ConfigError([no_spans(loaded, error)]) from error
        return Traces(section, loaded.config, self._spans if section.spans else None)

    async def _follow(self) -> None:
        assert self._path is not None
        self._watcher = FileWatcher(self._path, seen=self.loaded.text.encode())
        async for content in self._watcher.changes():
            try:
                await self.reload(content)
            except Exception:
                # A fault of ours in a reload must not end the watching: the next save may be the roll-back.
                log.exception("the change of %s could not be applied; what served before still does", self._path)


def _make_spans() -> Spans:
    from gateway.telemetry.spans import Spans

    return Spans()


def _at_its_line(loaded: Loaded, problem: BackendProblem) -> Problem:
    return loaded.problem(("backends", problem.name, "app"), str(problem))
