"""Changes made through the admin listener: planned, written, and waited for until every worker serves them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.change.change import Change, ChangeError
from gateway.change.found import Found, find
from gateway.change.plan import Plan, plan
from gateway.change.write import apply
from gateway.config.problem import ConfigError, Problem
from gateway.control.admin.problem import Refusal
from gateway.control.admin.running import Running

# Seconds. A reload takes some milliseconds; a worker that is busy for longer will follow, but nobody waits for it.
PATIENCE = 10.0
_LOOK = 0.005

# Statuses by ChangeError.kind; the others are 422: what was asked for cannot be.
_STATUS: Final = {
    "unknown-version": 404,
    "nothing-to-undo": 409,
    "nothing-changes": 409,
    "not-editable": 409,
    "changed-underneath": 412,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """``digest`` is of the text that the plan was made from: what `If-Match` has to say when it is applied."""

    plan: Plan
    digest: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that is live on all ``workers`` after ``seconds``.

    ``before`` is the version to go back to. ``kept`` is the file where a text is that was never live and was replaced.
    """

    plan: Plan
    version: int
    before: int
    workers: int
    seconds: float
    kept: Path | None


class Changing:
    """Plans and makes changes of the routes file at ``path``, one at a time."""

    def __init__(self, path: Path, running: Running, patience: float = PATIENCE) -> None:
        self._path = path
        self._running = running
        self._history = running.live.history
        self._patience = patience
        self._one_at_a_time = asyncio.Lock()

    @property
    def path(self) -> Path:
        return self._path

    async def plan(self, change: Change) -> Planned:
        """What the change would do. Raises Refusal."""
        found = await self._find()
        return Planned(await self._plan(found, change), min(self._digests(found)))

    async def make(self, change: Change, digests: Collection[str] | None, *, user: str, reason: str) -> Applied:
        """Make the change if the file has one of ``digests`` (None: whatever it has), and wait until it is live.

        Raises Refusal: nothing was written, but for 504 and the kind ``refused``.
        """
        async with self._one_at_a_time:
            begun = time.monotonic()
            found = await self._find()
            current = self._digests(found)
            if digests is not None and current.isdisjoint(digests):
                message = f"{self._path.name} has been changed meanwhile; look at it, then try again"
                raise Refusal(412, message, kind="changed-underneath", headers={"etag": f'"{min(current)}"'})
            planned = await self._plan(found, change)
            before = self._running.live.version
            known = [worker.rejected for worker in self._running.supervisor.workers.values()]
            try:
                kept = await asyncio.to_thread(
                    apply, self._path, planned, self._history, origin="api", user=user, reason=reason
                )
            except ChangeError as error:
                raise _refusal(error) from None
            except OSError as error:
                message = f"{self._path.name} cannot be written: {error.strerror or error}; nothing has changed"
                raise Refusal(500, message, kind="not-written") from None
            await self._live_everywhere(planned, known)
            return Applied(
                plan=planned,
                version=self._running.live.version,
                before=before,
                workers=len(self._running.supervisor.ready),
                seconds=time.monotonic() - begun,
                kept=kept,
            )

    async def _find(self) -> Found:
        try:
            return await asyncio.to_thread(find, self._path)
        except ConfigError as error:
            raise _bad_file(error) from None

    def _digests(self, found: Found) -> set[str]:
        """What the file is known by. While it is refused, that is what is live: nobody has been told of any other."""
        if found.loaded is None or self._running.live.problems:
            return {self._running.live.loaded.digest}
        return {found.digest}

    async def _plan(self, found: Found, change: Change) -> Plan:
        try:
            return await asyncio.to_thread(plan, found, change, self._history)
        except ChangeError as error:
            raise _refusal(error) from None
        except ConfigError as error:
            raise _bad_file(error) from None

    async def _live_everywhere(self, planned: Plan, known: Sequence[tuple[Problem, ...]]) -> None:
        """``known`` is what the workers had found wrong before the file was written."""
        digest, name = planned.after.digest, self._path.name
        until = time.monotonic() + self._patience
        while True:
            ready = self._running.supervisor.ready
            there = sum(worker.digest == digest for worker in ready)
            # A file that was bad may get the text back that is live: then they have to see that it is good again.
            settled = not any(worker.rejected for worker in ready)
            if ready and there == len(ready) and settled and self._running.live.loaded.digest == digest:
                return
            # Not equal but the same: the new text may have the same mistake as the one before it.
            refusing = [
                each.rejected for each in ready if each.rejected and all(each.rejected is not it for it in known)
            ]
            if ready and len(refusing) == len(ready):
                problems = sorted({str(problem) for each in refusing for problem in each})
                message = f"{name} was written, but the workers refuse it; what was live stays live"
                raise Refusal(409, message, kind="refused", problems=problems)
            if time.monotonic() > until:
                message = (
                    f"{name} was written, but after {self._patience:g} s it is live on {there} of {len(ready)} "
                    "workers; GET /api/v1/status shows them"
                )
                raise Refusal(504, message, kind="not-live")
            await asyncio.sleep(_LOOK)


def _has(known: Sequence[tuple[Problem, ...]], found: tuple[Problem, ...]) -> bool:
    return any(each is found for each in known)


def _refusal(error: ChangeError) -> Refusal:
    return Refusal(_STATUS.get(error.kind, 422), str(error), kind=error.kind)


def _bad_file(error: ConfigError) -> Refusal:
    message = "the file is bad, so a route of it cannot be changed; repair it, or roll back to a version"
    return Refusal(409, message, kind="bad-file", problems=[str(problem) for problem in error.problems])
