"""`gateway run`: the control process, from its first socket to its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config.loader import Loaded, load_file
from gateway.control import logs
from gateway.control.admin.serving import serving
from gateway.control.admin.tokens import Tokens
from gateway.control.listening import Address, listen
from gateway.control.live import LiveConfig
from gateway.control.run_file import Run, RunFile
from gateway.control.supervisor import Plan, Supervisor
from gateway.history.folder import state_folder
from gateway.history.history import History
from gateway.telemetry.exposition import Aggregate

logger = logging.getLogger("gateway.control")

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line. ``admin=None`` is no admin listener; ``drain_timeout`` is in seconds.

    ``tokens`` are for the admin listener; it needs them wherever others can reach it. ``state`` is the state folder,
    None for the one beside the file.
    """

    routes: Path
    address: Address
    admin: Address | None
    workers: int
    drain_timeout: int
    tokens: Tokens
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """What runs, once every worker is ready."""

    address: Address
    admin: Address | None
    loaded: Loaded
    version: int
    workers: tuple[int, ...]


def run(settings: Settings, announce: Callable[[Started], None]) -> int:
    """Serve until a signal ends it, and return the exit code. ``announce`` is called once everything is ready.

    Raises ConfigError for a bad file, ListenError for an address that cannot be had, and StartError when no worker
    can start. Nothing runs on after either.
    """
    loaded = load_file(settings.routes)
    logs.configure("control")
    with contextlib.ExitStack() as stack:
        listener, address = listen(settings.address, "--host", "--port")
        stack.callback(listener.close)
        admin = None
        if settings.admin is not None:
            admin = listen(settings.admin, "--admin", "--admin")
            stack.callback(admin[0].close)
        runtime = stack.enter_context(_runtime_directory())
        history = stack.enter_context(_history(settings, None if admin is None else admin[1]))
        control = _Control(settings, loaded, listener, address, admin, runtime, history)
        return asyncio.run(control.run(announce))


class _Control:
    def __init__(
        self,
        settings: Settings,
        loaded: Loaded,
        listener: socket.socket,
        address: Address,
        admin: tuple[socket.socket, Address] | None,
        runtime: Path,
        history: History,
    ) -> None:
        self._address = address
        self._admin = admin
        self._tokens = settings.tokens
        self._workers = settings.workers
        self._live = LiveConfig(loaded, runtime, history)
        self._numbers = Aggregate()
        self._routes = settings.routes.absolute()
        plan = Plan(self._routes, settings.workers, settings.drain_timeout, runtime)
        self._supervisor = Supervisor(plan, [listener], self._live, self._numbers)
        self._exit_code = 0
        self._restarts: set[asyncio.Task[None]] = set()
        self._on_terminal = os.isatty(0)

    async def run(self, announce: Callable[[Started], None]) -> int:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, "SIGTERM")
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        loop.add_signal_handler(signal.SIGUSR2, self._restart)
        logger.info("starting %d worker%s", self._workers, "" if self._workers == 1 else "s")
        async with self._admin_listener():
            await self._supervisor.run(lambda: self._announce(announce))
        if self._exit_code == 0:
            logger.info("all workers have ended")
        return self._exit_code

    def _admin_listener(self) -> contextlib.AbstractAsyncContextManager[None]:
        if self._admin is None:
            return contextlib.nullcontext()
        return serving(self._admin[0], self._routes, self._live, self._supervisor, self._numbers, self._tokens)

    def _announce(self, announce: Callable[[Started], None]) -> None:
        started = Started(
            address=self._address,
            admin=None if self._admin is None else self._admin[1],
            loaded=self._live.loaded,
            version=self._live.version,
            workers=tuple(worker.pid for worker in self._supervisor.ready),
        )
        try:
            announce(started)
        except OSError as error:
            # `gateway run | head -1`: nobody reads on, but the requests come all the same.
            logger.warning("the start cannot be announced: %s", error)

    def _stop(self, why: str) -> None:
        if not self._supervisor.stopping:
            logger.info("%s: no new connections; finishing the requests that run", why)
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
        self._supervisor.reload()

    def _restart(self) -> None:
        task = asyncio.get_running_loop().create_task(self._replace_workers())
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _replace_workers(self) -> None:
        if await self._supervisor.restart():
            logger.info("restart: every worker has been replaced")


@contextlib.contextmanager
def _history(settings: Settings, admin: Address | None) -> Iterator[History]:
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
