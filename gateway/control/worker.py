"""One worker: ``python -m gateway.control.worker``, started by the control process and by nothing else.

It inherits the listening sockets and one end of a socket pair. SIGTERM, or the end of the control process, drains it.
SIGUSR2 does so without hurry, when another worker has taken over. SIGHUP reloads. Its exit code is 0 after a drain and
1 when it could not start.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import signal
import socket
import sys
import time

import uvloop

from gateway.backends.search_path import look_beside
from gateway.config.loader import Loaded, load_file, load_text
from gateway.config.problem import ConfigError
from gateway.control import logs
from gateway.control.front_door import limits_of
from gateway.control.lifeline import Lifeline
from gateway.control.messages import Draining, Failed, Ready, Reloaded
from gateway.control.options import GRACE, LAST_CALL, PATIENCE, Options, board_path, text_path
from gateway.control.server import Server
from gateway.dataplane.app import Gateway
from gateway.dataplane.reload import Reload
from gateway.server.protocol import FrontDoor
from gateway.server.websocket_door import WebSocketDoor
from gateway.telemetry.slots import SlotFile

logger = logging.getLogger("gateway.control")


class Worker:
    """Starts the gateway, serves until it is told to end, and tells the control process what happens."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lifeline: Lifeline | None = None
        self._server: Server | None = None
        self._end = asyncio.Event()
        self._reloads: set[asyncio.Task[Reload]] = set()
        self._orphaned = False

    async def run(self) -> int:
        options = self._options
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        listeners = [socket.socket(fileno=descriptor) for descriptor in options.listeners]
        for listener in listeners:
            listener.set_inheritable(False)
        self._lifeline = await Lifeline.connect(options.lifeline, self._control_is_gone, options.drain_timeout + GRACE)
        try:
            gateway = await self._started()
            if gateway is None:
                return 1
            try:
                loop.add_signal_handler(signal.SIGHUP, self._reload, gateway)
                loop.add_signal_handler(signal.SIGUSR2, self._retire)
                await self._serve(gateway, listeners)
            finally:
                await gateway.stop()
            return 0
        finally:
            await self._lifeline.close()
            if self._orphaned:
                # Nobody else is left to do it. The other workers do the same, in whatever order.
                shutil.rmtree(options.runtime, ignore_errors=True)

    async def _started(self) -> Gateway | None:
        """The running gateway; None after telling why there is none, or when the end came first."""
        start = asyncio.create_task(self._start())
        ended = asyncio.create_task(self._end.wait())
        await asyncio.wait((start, ended), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        start.cancel()
        try:
            return await start
        except asyncio.CancelledError:
            return None
        except ConfigError as error:
            self._send_failure(Failed(problems=error.problems))
        except Exception as error:
            logger.exception("the worker cannot start")
            self._send_failure(Failed(message=f"{type(error).__name__}: {error}"))
        return None

    async def _start(self) -> Gateway:
        options = self._options
        slots = SlotFile(options.slots)
        access_log = options.log_target.open(slots)
        board = board_path(options.runtime)
        try:
            loaded = load_file(options.routes)
            gateway = Gateway(loaded, path=options.routes, slots=slots, access_log=access_log, board=board)
            await gateway.start()
        except ConfigError:
            # The file is bad now, but a good one is live in the other workers, or was in the one that this one
            # replaces: a mistake in routes.yaml must not cost capacity, however it meets a crash.
            if not options.last_good:
                raise
            text = text_path(options.runtime, options.last_good).read_bytes()
            loaded = load_text(text, options.routes.name)
            gateway = Gateway(loaded, path=options.routes, slots=slots, access_log=access_log, board=board)
            await gateway.start()
        self._put_down(gateway.loaded)
        gateway.on_reload.append(lambda reload: self._tell(gateway, reload))
        return gateway

    async def _serve(self, gateway: Gateway, listeners: list[socket.socket]) -> None:
        assert self._lifeline is not None
        lifeline = self._lifeline

        def started() -> None:
            self._limit(gateway)
            lifeline.send(Ready(digest=gateway.loaded.digest))

        self._server = Server(
            gateway,
            drain_timeout=self._options.drain_timeout,
            on_started=started,
            on_draining=lambda: lifeline.send(Draining()),
            protocol=FrontDoor,
            websocket_protocol=WebSocketDoor,
        )
        # What has been imported and built stays. Looking through it again and again for garbage cost every request a
        # tenth of its time.
        gc.collect()
        gc.freeze()
        if not self._end.is_set():
            await self._server.serve(listeners)

    def _drain(self) -> None:
        self._end.set()
        if self._server is not None:
            self._server.drain(LAST_CALL)

    def _retire(self) -> None:
        self._end.set()
        if self._server is not None:
            self._server.drain(PATIENCE)

    def _control_is_gone(self) -> None:
        logger.error("the control process is gone; finishing what runs, then ending")
        self._orphaned = True
        self._drain()

    def _reload(self, gateway: Gateway) -> None:
        task = asyncio.create_task(gateway.reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    def _limit(self, gateway: Gateway) -> None:
        """What comes from now on, by what the file says now."""
        if self._server is not None and self._server.started:
            config = gateway.loaded.config
            self._server.config.ws_max_size = config.websockets.max_message
            self._server.limit(limits_of(config), gateway.refusals.count)

    def _put_down(self, loaded: Loaded) -> None:
        """Leave the text that serves where the control process finds it: the file may have changed again by then."""
        path = text_path(self._options.runtime, loaded.digest)
        part = path.with_suffix(f".{os.getpid()}")
        try:
            part.write_text(loaded.text, encoding="utf-8", newline="")
            part.replace(path)
        except OSError as error:
            logger.error("the text of %s %s cannot be kept: %s", loaded.source, loaded.digest, error)

    def _tell(self, gateway: Gateway, reload: Reload) -> None:
        assert self._lifeline is not None
        if reload.outcome == "applied":
            self._put_down(gateway.loaded)
            self._limit(gateway)
        self._lifeline.send(
            Reloaded(
                outcome=reload.outcome,
                digest=reload.digest,
                problems=reload.problems,
                seconds=reload.seconds,
                at=time.time(),
            )
        )

    def _send_failure(self, failure: Failed) -> None:
        assert self._lifeline is not None
        self._lifeline.send(failure)


def main(arguments: list[str]) -> int:
    options = Options.parse(arguments)
    # The control process decides. A handler rather than SIG_IGN, which programs that the apps start would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    logs.configure(f"worker {options.number}")
    look_beside(options.routes)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Worker(options).run())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
