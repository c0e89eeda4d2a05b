"""`gateway run`: the control process, from its first socket to its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config.loader import Loaded, load_file
from gateway.control import logs
from gateway.control.access_log import OFF, LogTarget, log_target
from gateway.control.admin.tokens import Tokens
from gateway.control.checks import checking
from gateway.control.doors import Doors, open_doors
from gateway.control.listening import Address, Place, place_of
from gateway.control.live import LiveConfig
from gateway.control.run_file import Run, RunFile
from gateway.control.service_manager import ServiceManager
from gateway.control.supervisor import Plan, Supervisor
from gateway.health.checker import Checker
from gateway.history.folder import state_folder
from gateway.history.history import History
from gateway.telemetry.access_line import Format
from gateway.telemetry.exposition import Aggregate

logger = logging.getLogger("gateway.control")

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line. ``admin=None`` is no admin listener; ``drain_timeout`` is in seconds.

    Sockets that the service manager passes stand in the place of ``address`` and ``admin``.

    ``tokens`` are for the admin listener; it needs them wherever others can reach it. ``state`` is the state folder,
    None for the one beside the file. ``access_log`` is a path, ``-`` or ``off``.
    """

    routes: Path
    address: Address
    admin: Address | None
    workers: int
    drain_timeout: int
    tokens: Tokens
    state: Path | None = None
    access_log: str = OFF
    access_log_format: Format = "text"


@dataclass(frozen=True, slots=True)
class Started:
    """What runs, once every worker is ready. There is more than one address where more sockets were passed."""

    addresses: tuple[Place, ...]
    admin: Place | None
    loaded: Loaded
    version: int
    workers: tuple[int, ...]


def run(settings: Settings, announce: Callable[[Started], None]) -> int:
    """Serve until a signal ends it, and return the exit code. ``announce`` is called once everything is ready.

    Raises ConfigError for a bad file, ListenError for an address that cannot be had, AccessLogError for a log that
    cannot be written, and StartError when no worker can start. Nothing runs on after either.
    """
    loaded = load_file(settings.routes)
    logs.configure("control")
    with contextlib.ExitStack() as stack:
        doors = stack.enter_context(open_doors(settings.address, settings.admin, with_tokens=bool(settings.tokens)))
        target = stack.enter_context(log_target(settings.access_log, settings.access_log_format))
        runtime = stack.enter_context(_runtime_directory())
        history = stack.enter_context(_history(settings, doors.admin_place))
        control = _Control(settings, loaded, doors, ServiceManager.of(os.environ), runtime, history, target)
        return asyncio.run(control.run(announce))


class _Control:
    def __init__(
        self,
        settings: Settings,
        loaded: Loaded,
        doors: Doors,
        manager: ServiceManager,
        runtime: Path,
        history: History,
        target: LogTarget,
    ) -> None:
        self._doors = doors
        self._manager = manager
        self._tokens = settings.tokens
        self._workers = settings.workers
        self._live = LiveConfig(loaded, runtime, history)
        self._numbers = Aggregate()
        self._runtime = runtime
        self._routes = settings.routes.absolute()
        plan = Plan(self._routes, settings.workers, settings.drain_timeout, runtime, target)
        self._supervisor = Supervisor(plan, doors.public, self._live, self._numbers)
        self._exit_code = 0
        self._asked: set[asyncio.Task[None]] = set()
        self._on_terminal = os.isatty(0)

    async def run(self, announce: Callable[[Started], None]) -> int:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, "SIGTERM")
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        loop.add_signal_handler(signal.SIGUSR2, self._restart)
        logger.info("starting %d worker%s", self._workers, "" if self._workers == 1 else "s")
        async with checking(self._live, self._runtime, self._numbers) as checker, self._admin_listener(checker):
            attending = asyncio.create_task(self._manager.attend(self._status))
            try:
                await self._supervisor.run(lambda: self._announce(announce))
            finally:
                attending.cancel()
        if self._exit_code == 0:
            logger.info("all workers have ended")
        return self._exit_code

    def _admin_listener(self, checker: Checker) -> contextlib.AbstractAsyncContextManager[None]:
        if self._doors.admin is None:
            return contextlib.nullcontext()
        # Here, not above: FastAPI takes a sixth of a second, and 20 MB, of whoever has no such listener or a bad file.
        from gateway.control.admin.serving import serving

        return serving(
            self._doors.admin, self._routes, self._live, self._supervisor, self._numbers, self._tokens, checker
        )

    def _announce(self, announce: Callable[[Started], None]) -> None:
        # What has been imported stays. To go through it for garbage, once more at the end, takes a tenth of a second.
        gc.freeze()
        started = Started(
            addresses=tuple(map(place_of, self._doors.public)),
            admin=self._doors.admin_place,
            loaded=self._live.loaded,
            version=self._live.version,
            workers=tuple(worker.pid for worker in self._supervisor.ready),
        )
        try:
            announce(started)
        except OSError as error:
            # `gateway run | head -1`: nobody reads on, but the requests come all the same.
            logger.warning("the start cannot be announced: %s", error)
        self._manager.ready()

    def _status(self) -> str:
        """One line, for `systemctl status`."""
        live, ready = self._live, len(self._supervisor.ready)
        wrong = "is missing" if live.missing else "is refused as it is now"
        refused = f"; {live.loaded.source} {wrong}" if live.problems else ""
        return f"version {live.version} is live on {ready} of {self._supervisor.planned} workers{refused}"

    def _stop(self, why: str) -> None:
        if not self._supervisor.stopping:
            logger.info("%s: no new connections; finishing the requests that run", why)
            self._manager.stopping()
            self._supervisor.stop()

    def _interrupt(self) -> None:
        if self._supervisor.stopping:
            logger.warning("interrupted again: ending at once")
            self._exit_code = INTERRUPTED
            self._supervisor.kill()
        else:
            self._stop("interrupted (Ctrl-C again ends at once)")

    def _hang_up(self) -> None:
        """Reload, as daemons do. But a terminal that was closed sends SIGHUP too, and then nobody wants us to stay."""
        if self._on_terminal:
            try:
                os.tcgetpgrp(0)
            except OSError:
                self._stop("the terminal is gone")
                return
        self._begin(self._reload())

    def _restart(self) -> None:
        self._begin(self._replace_workers())

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _reload(self) -> None:
        with self._manager.reloading():
            await self._supervisor.reload()

    async def _replace_workers(self) -> None:
        with self._manager.reloading():
            if await self._supervisor.restart():
                logger.info("restart: every worker has been replaced")


@contextlib.contextmanager
def _history(settings: Settings, admin: Place | None) -> Iterator[History]:
    """The versions that were live, and for as long as this runs the word of where it does.

    Neither is worth a gateway that does not start: without a folder the history is in memory alone.
    """
    folder = state_folder(settings.routes, settings.state)
    without = "the history is in memory only, and commands do not find this gateway"
    try:
        run_file = RunFile.take(folder)
    except OSError as error:
        logger.warning("%s cannot be used (%s): %s; choose another with --state", folder, error.strerror, without)
        yield History(None)
        return
    if run_file is None:
        logger.warning("another gateway has the state folder %s: %s; give each its own --state", folder, without)
        yield History(None)
        return
    try:
        run = Run(os.getpid(), None if admin is None else admin.url, str(settings.routes.absolute()))
        try:
            run_file.write(run)
        except OSError as error:
            logger.warning("%s cannot be written (%s): commands do not find this gateway", folder, error.strerror)
        history = History(folder)
        yield history
        history.save()
    finally:
        run_file.release()


@contextlib.contextmanager
def _runtime_directory() -> Iterator[Path]:
    """This run's own directory, in memory where the system has such a place: the workers' numbers are mapped there,
    and on a disk the kernel may hold up a write to them while it flushes the page."""
    memory = "/dev/shm"  # noqa: S108 - mkdtemp makes a private directory below it
    place = memory if sys.platform == "linux" and os.access(memory, os.W_OK | os.X_OK) else None
    path = Path(tempfile.mkdtemp(prefix=f"gateway-{os.getpid()}-", dir=place))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
