"""A gateway from its configuration to its end: how it is made, started, reloaded and stopped."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from starlette.types import Receive, Send

from gateway.config.loader import Loaded, load_dict, load_file
from gateway.config.problem import ConfigError
from gateway.dataplane.inbound import RequestIds
from gateway.dataplane.reload import Reload
from gateway.dataplane.runtime import Runtime
from gateway.dataplane.snapshot import Snapshot
from gateway.dataplane.websockets import WebSockets
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.recorder import Recorder
from gateway.telemetry.refusals import Refusals
from gateway.telemetry.slots import SlotFile

log = logging.getLogger("gateway")


class Lifecycle:
    """All of a gateway but the requests, which come by app.py.

    The server's lifespan starts and stops it; where there is none, the first request starts it.

    ``board`` is where another process writes down the health of the backends (gateway/health/board.py); without one,
    this gateway checks it by itself.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        path: str | os.PathLike[str] | None = None,
        apps: Mapping[str, Any] | None = None,
        watch: bool = True,
        slots: SlotFile | None = None,
        access_log: AccessLog | None = None,
        board: Path | None = None,
    ) -> None:
        slots = slots or SlotFile()
        # How often something was more than there may be, by reason.
        self.refusals = Refusals(slots)
        self._runtime = Runtime(
            loaded,
            path=path,
            apps=apps,
            watch=watch,
            slots=slots,
            access_log=access_log,
            board=board,
            refusals=self.refusals,
        )
        # What the gateway answers itself, before there is a route or a backend to count it by.
        self._none = Recorder(slots, "none", "none")
        self._ids = RequestIds()
        self._websockets = WebSockets()
        self._bad = False
        self.on_reload.append(self._review_websockets)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        apps: Mapping[str, Any] | None = None,
        *,
        watch: bool = True,
        slots: SlotFile | None = None,
        access_log: AccessLog | None = None,
    ) -> Self:
        """A gateway that serves the file at ``path``, and follows its changes unless ``watch`` is false.

        ``apps`` puts objects in the place of what the file's backends name. What comes of a change is logged, for
        there is nobody else to ask. Raises ConfigError.
        """
        loaded = load_file(path, provided=frozenset(apps or ()))
        gateway = cls(loaded, path=path, apps=apps, watch=watch, slots=slots, access_log=access_log)
        gateway.on_reload.append(gateway._tell)
        return gateway

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        apps: Mapping[str, Any] | None = None,
        *,
        slots: SlotFile | None = None,
        access_log: AccessLog | None = None,
    ) -> Self:
        """A gateway for what a routes.yaml with this content would say. Raises ConfigError.

        What is in ``apps`` need not be named under ``backends`` again.
        """
        apps = apps or {}
        named = data.get("backends", {})
        if isinstance(named, Mapping):
            data = {**data, "backends": {**{name: {} for name in apps}, **named}}
        loaded = load_dict(data, provided=frozenset(apps))
        return cls(loaded, apps=apps, watch=False, slots=slots, access_log=access_log)

    @property
    def loaded(self) -> Loaded:
        """The configuration that serves now, or that will when the gateway has started."""
        return self._runtime.loaded

    @property
    def config_version(self) -> int:
        """Counts the configurations that this process has served, from 1; 0 before it has started."""
        return self._runtime.version

    @property
    def on_reload(self) -> list[Callable[[Reload], None]]:
        """Called after each look at the file, in the event loop."""
        return self._runtime.on_reload

    async def start(self) -> None:
        """Import the apps, run their startup and begin to serve. Raises ConfigError with all that is wrong."""
        await self._runtime.start()

    async def reload(self) -> Reload:
        """Read the file again. A bad file changes nothing, and is told in the result."""
        return await self._runtime.reload()

    async def stop(self) -> None:
        """Run the apps' shutdown. The server has ended its requests by then."""
        await self._websockets.stop()
        await self._runtime.stop()

    def _review_websockets(self, reload: Reload) -> None:
        snapshot = self._runtime.snapshot
        if reload.outcome == "applied" and snapshot is not None:
            self._websockets.review(snapshot)

    def _tell(self, reload: Reload) -> None:
        was_bad, self._bad = self._bad, bool(reload.problems)
        source = self.loaded.source
        for problem in reload.problems:
            log.error("%s", problem)
        if reload.problems:
            what = "missing" if reload.outcome == "missing" else "refused"
            log.error("%s is %s; version %d stays live", source, what, reload.version)
        elif reload.outcome == "applied":
            log.info("%s version %d is live, in %.0f ms", source, reload.version, reload.seconds * 1000)
        elif was_bad:
            log.info("%s is good again; version %d stays live", source, reload.version)

    async def _late_start(self) -> Snapshot | None:
        """No lifespan has run: some servers and test clients run none. The first request starts the gateway."""
        try:
            await self._runtime.start()
        except ConfigError as error:
            log.error("the gateway cannot start:\n%s", error)
        return self._runtime.snapshot

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except ConfigError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})
