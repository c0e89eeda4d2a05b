"""An app that runs in this process: called as ASGI, with its lifespan run around it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Scope

from gateway.backends.app_timeouts import AppTimeouts
from gateway.backends.wsgi import WsgiApp
from gateway.config.backend import BackendConfig

log = logging.getLogger("gateway")

# Seconds that an app may take to start or to stop. An app that hangs must not hold a reload, or the exit, for ever.
LIFESPAN_TIMEOUT = 60.0


class StartError(Exception):
    """The app refused to start. The message is one line."""


class EmbeddedBackend:
    """A named app with a start and a stop.

    ``app`` is what requests call; ``state`` is what the app's lifespan left for its requests (ASGI "Lifespan
    State"). ``in_flight`` counts the requests inside the app, so that it is stopped only after the last of them.
    """

    # Nobody checks an app in this process: where it is down, so are we.
    available = True

    def __init__(self, name: str, app: Any, interface: Literal["asgi", "wsgi"], config: BackendConfig) -> None:
        self.name = name
        self.config = config
        self.interface = interface
        self.state: dict[str, Any] = {}
        self.in_flight = 0
        self._lifespan: _Lifespan | None = None
        self._wsgi: WsgiApp | None = None
        self.app: ASGIApp
        if interface == "wsgi":
            self.app = self._wsgi = WsgiApp(app, threads=config.threads, queue=config.queue, name=name)
        else:
            self.app = app
            self._lifespan = _Lifespan(name, app, self.state)
        if config.timeouts is not None:
            given = config.timeouts
            self.app = AppTimeouts(self.app, head=given.head, idle=given.idle, most=config.queue, name=name)

    def __repr__(self) -> str:
        return f"<EmbeddedBackend {self.name} {self.interface} in_flight={self.in_flight}>"

    async def start(self) -> None:
        """Raises StartError when the app says that it cannot start, or does not say anything in time."""
        if self._lifespan is not None:
            await self._lifespan.start()

    async def stop(self) -> None:
        """Never raises: a backend that fails to stop is logged, and let go."""
        if self._lifespan is not None:
            await self._lifespan.stop()
        if self._wsgi is not None:
            await self._wsgi.stop()


class _Lifespan:
    """One run of the ASGI lifespan protocol, in a task of its own.

    An app that raises, or returns, before it answered ``lifespan.startup`` does not speak the protocol (ASGI
    "Lifespan Protocol"); it is served without.
    """

    def __init__(self, name: str, app: ASGIApp, state: dict[str, Any]) -> None:
        self._name = name
        self._app = app
        self._state = state
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[str | None]
        self._stopped: asyncio.Future[None]
        self._task: asyncio.Task[None] | None = None
        self._supported = False

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._started = loop.create_future()
        self._stopped = loop.create_future()
        self._to_app.put_nowait({"type": "lifespan.startup"})
        self._task = loop.create_task(self._run(), name=f"lifespan of {self._name}")
        try:
            async with asyncio.timeout(LIFESPAN_TIMEOUT):
                failure = await asyncio.shield(self._started)
        except TimeoutError:
            failure = f"did not finish starting in {LIFESPAN_TIMEOUT:.0f} s"
        if failure is not None:
            await self._end()
            raise StartError(failure)

    async def stop(self) -> None:
        if self._task is None:
            return
        if self._supported and not self._task.done():
            self._to_app.put_nowait({"type": "lifespan.shutdown"})
            try:
                async with asyncio.timeout(LIFESPAN_TIMEOUT):
                    await asyncio.shield(self._stopped)
            except TimeoutError:
                log.error("backend %s did not finish stopping in %.0f s", self._name, LIFESPAN_TIMEOUT)
        await self._end()

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception:
            if self._supported:
                log.exception("backend %s: its lifespan failed", self._name)
        finally:
            if not self._started.done():
                self._started.set_result(None)
            if not self._stopped.done():
                self._stopped.set_result(None)

    async def _receive(self) -> Message:
        return await self._to_app.get()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete" and not self._started.done():
            self._supported = True
            self._started.set_result(None)
        elif kind == "lifespan.startup.failed" and not self._started.done():
            # Starlette puts the whole traceback here; its last line is what happened.
            text = message.get("message", "").strip()
            if text:
                log.error("backend %s failed to start\n%s", self._name, text)
            self._started.set_result(f"failed to start: {text.splitlines()[-1] if text else 'it did not say why'}")
        elif kind == "lifespan.shutdown.failed":
            log.error("backend %s failed to stop: %s", self._name, message.get("message", ""))
            if not self._stopped.done():
                self._stopped.set_result(None)
        elif kind == "lifespan.shutdown.complete" and not self._stopped.done():
            self._stopped.set_result(None)

    async def _end(self) -> None:
        """Wait a moment for the task to return by itself, then cancel it."""
        if self._task is None:
            return
        task, self._task = self._task, None
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(1.0):
                await asyncio.shield(task)
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
