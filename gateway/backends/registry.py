"""The backends that run now. A reload keeps those that both versions name, starts the new and retires the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from gateway.backends.embedded import EmbeddedBackend, StartError
from gateway.backends.importing import ImportProblem, import_app, interface_of
from gateway.backends.remote import RemoteBackend
from gateway.config.backend import BackendConfig

log = logging.getLogger("gateway")

Backend = EmbeddedBackend | RemoteBackend

# Seconds between two looks at whether a retired backend still has requests. Not on any request's way.
_RETIRE_POLL = 0.05


class BackendProblem(Exception):
    """Backend ``name`` cannot be had. The message is one line, for the person who wrote routes.yaml."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Registry:
    """Owns every running backend."""

    def __init__(self, apps: Mapping[str, Any] | None = None) -> None:
        """``apps`` puts objects in the place of what the file names."""
        self._apps = dict(apps or {})
        self._running: dict[str, Backend] = {}
        self._retiring: dict[asyncio.Task[None], Backend] = {}

    @property
    def backends(self) -> list[Backend]:
        """All that run, those that only finish their last requests included."""
        return [*self._running.values(), *self._retiring.values()]

    async def prepare(self, wanted: Mapping[str, BackendConfig]) -> tuple[dict[str, Backend], list[BackendProblem]]:
        """A running backend for each of ``wanted``, and what is wrong with those that cannot be had.

        What already runs is taken over as it is. Nothing that runs is changed: call ``adopt`` with the result once
        it is in use, or ``discard`` when it will not be.
        """
        ready: dict[str, Backend] = {}
        problems: list[BackendProblem] = []
        for name, config in wanted.items():
            running = self._running.get(name)
            if running is not None and running.config == config:
                ready[name] = running
                continue
            try:
                ready[name] = await self._make(name, config)
            except BackendProblem as problem:
                problems.append(problem)
        if problems:
            await self.discard(ready)
            return {}, problems
        return ready, []

    def adopt(self, ready: Mapping[str, Backend]) -> None:
        """These serve from now on; the others are stopped when their last request is done."""
        for name, backend in self._running.items():
            if ready.get(name) is not backend:
                self._retire(backend)
        self._running = dict(ready)

    async def discard(self, ready: Mapping[str, Backend]) -> None:
        """Stop what ``prepare`` started in vain."""
        for name, backend in ready.items():
            if self._running.get(name) is not backend:
                await backend.stop()

    async def stop(self) -> None:
        """Stop all, those that are retiring included: the server has finished its requests by now."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        running, self._running = self._running, {}
        for backend in running.values():
            await backend.stop()

    async def _make(self, name: str, config: BackendConfig) -> Backend:
        if name not in self._apps and config.app is None:
            return await _remote(name, config)
        try:
            if name in self._apps:
                app = self._apps[name]
            else:
                assert config.app is not None
                app = await asyncio.to_thread(import_app, config.app)
        except ImportProblem as problem:
            raise BackendProblem(name, str(problem)) from problem
        interface = interface_of(app) if config.interface == "auto" else config.interface
        backend = EmbeddedBackend(name, app, interface, config)
        try:
            await backend.start()
        except StartError as error:
            await backend.stop()
            raise BackendProblem(name, f"backend '{name}' {error}") from error
        return backend

    def _retire(self, backend: Backend) -> None:
        task = asyncio.get_running_loop().create_task(_stop_after_its_last_request(backend))
        self._retiring[task] = backend
        task.add_done_callback(self._retiring.pop)


async def _remote(name: str, config: BackendConfig) -> Backend:
    try:
        backend = RemoteBackend(name, config)
        await backend.start()
    except StartError as error:
        raise BackendProblem(name, f"backend '{name}' {error}") from error
    return backend


async def _stop_after_its_last_request(backend: Backend) -> None:
    try:
        while backend.in_flight > 0:  # noqa: ASYNC110 - an event would cost every request a check
            await asyncio.sleep(_RETIRE_POLL)
    finally:
        await backend.stop()
        log.info("backend %s is no longer named and has been stopped", backend.name)
