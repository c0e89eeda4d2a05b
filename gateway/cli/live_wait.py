"""Waiting until every worker of the running gateway serves what was written."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from gateway.control.run_file import Run
from gateway.history.history import History

# Seconds between two looks.
_PAUSE: Final = 0.005
# Seconds. How long the version may take to be in the history once it is live: a disk's worth.
_WRITING: Final = 1.0


@dataclass(frozen=True, slots=True)
class Live:
    """A text that is live. ``workers`` is how many there should be; None where the gateway does not say."""

    version: int
    live_on: int | None
    workers: int | None
    seconds: float
    note: str = ""

    def words(self) -> str:
        took = f"in {self.seconds * 1000:.0f} ms, as version {self.version}"
        if self.live_on is None:
            return f"live {took}; {self.note}"
        more = f"; {self.note}" if self.note else ""
        return f"live on {self.live_on} of {self.workers} worker{'' if self.workers == 1 else 's'} {took}{more}"


class NotLive(Exception):
    """It was written, and does not serve everywhere. The text says where it does not, and why."""


class Watch:
    """Looks at the gateway of ``run``. Made before the file is written, so that it measures nothing but the reload."""

    def __init__(self, run: Run, history: History) -> None:
        self._run = run
        self._history = history
        token = os.environ.get("GATEWAY_ADMIN_TOKEN") or os.environ.get("GATEWAY_ADMIN_READ_TOKEN")
        # Whatever proxy the environment names, it is not for this machine's own addresses.
        self._client = httpx.Client(
            base_url=run.admin or "",
            headers={"authorization": f"Bearer {token}"} if token else {},
            timeout=2.0,
            trust_env=False,
            verify=False,  # noqa: S501 - it never leaves the machine, and making an SSL context takes 20 ms
        )
        # Without a token it answers whether it is ready, and no more.
        self._answers = False
        # What the file is refused for already is no answer to what is about to be written.
        self._known_problems = tuple(self._problems(self._look()))

    def wait(self, digest: str, begun: float, timeout: float) -> Live:
        """Until every worker that is ready serves the text with this digest. ``begun`` is in time.monotonic().

        Raises NotLive after ``timeout`` seconds, or as soon as the gateway refuses the text.
        """
        until = begun + timeout
        while True:
            now = time.monotonic()
            state = self._look()
            live = self._by_history(digest, now - begun) if state is None else self._live(state, digest, now - begun)
            if live is not None:
                self._let_it_be_written(digest)
                return live
            problems = tuple(self._problems(state))
            if state is not None and problems and problems != self._known_problems:
                version = state["config"]["version"]
                raise NotLive("\n".join((*problems, f"the gateway refuses it; version {version} stays live")))
            if now > until:
                raise NotLive(f"not live after {timeout:g} s: {self._what_is_missing(state, digest)}")
            time.sleep(_PAUSE)

    def close(self) -> None:
        self._client.close()

    def _look(self) -> Mapping[str, Any] | None:
        """What /readyz says; None where there is nobody who says it to us."""
        if self._run.admin is None:
            return None
        try:
            data: Mapping[str, Any] = self._client.get("/readyz").json()
        except (httpx.HTTPError, ValueError):
            return None
        self._answers = True
        return data if "workers" in data else None

    @staticmethod
    def _problems(state: Mapping[str, Any] | None) -> list[str]:
        return [] if state is None else state["config"]["problems"]

    def _live(self, state: Mapping[str, Any], digest: str, seconds: float) -> Live | None:
        ready = [worker for worker in state["workers"] if worker["state"] == "ready"]
        there = [worker for worker in ready if worker["digest"] == digest]
        # With a complaint of old the workers have not read the file since; they serve this text from before.
        if not ready or len(there) < len(ready) or self._problems(state) or state["config"]["digest"] != digest:
            return None
        others = [
            f"worker {worker['number']} is {worker['state']}"
            for worker in state["workers"]
            if worker["state"] != "ready"
        ]
        note = f"{', '.join(others)}, and reads the file when it starts" if others else ""
        return Live(state["config"]["version"], len(there), state["planned"], seconds, note)

    def _by_history(self, digest: str, seconds: float) -> Live | None:
        entries = self._history.entries()
        if not entries or entries[-1].digest != digest:
            return None
        if self._run.admin is None:
            why = "the gateway has no admin listener"
        else:
            why = f"{self._run.admin} {'wants GATEWAY_ADMIN_TOKEN for that' if self._answers else 'does not answer'}"
        return Live(entries[-1].version, None, None, seconds, f"on how many workers is not known: {why}")

    def _what_is_missing(self, state: Mapping[str, Any] | None, digest: str) -> str:
        if state is None:
            where = self._run.admin or "no admin listener"
            return f"the gateway (pid {self._run.pid}, {where}) does not tell; look into its log"
        late = [
            f"worker {worker['number']} (pid {worker['pid']}) "
            + (f"serves version {worker['version']}" if worker["state"] == "ready" else f"is {worker['state']}")
            for worker in state["workers"]
            if worker["state"] != "ready" or worker["digest"] != digest
        ]
        return "; ".join([*late, *self._problems(state)]) or "no worker is ready"

    def _let_it_be_written(self, digest: str) -> None:
        """The next command may be a roll-back, and goes by the history."""
        until = time.monotonic() + _WRITING
        while time.monotonic() < until:
            entries = self._history.entries()
            if entries and entries[-1].digest == digest:
                return
            time.sleep(_PAUSE)
