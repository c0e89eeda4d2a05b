"""What the service manager is told: systemd's sd_notify(3), a datagram at a time.

Without NOTIFY_SOCKET nothing is sent, so nobody needs to ask who has started us.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Self

logger = logging.getLogger("gateway.control")

# Seconds between two looks at the status line.
_LOOK = 1.0


class ServiceManager:
    """``address`` is where it listens, "" if there is none; ``watchdog`` is after how many seconds of silence it takes
    us for hung, None if it does not watch."""

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = address
        self._watchdog = watchdog
        self._status = ""
        self._up = False
        self._stopping = False

    @classmethod
    def of(cls, environ: MutableMapping[str, str]) -> Self:
        """The one that has started this process.

        Its variables are taken out of ``environ``: the workers are not the service, and must not speak for it.
        """
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds = environ.pop("WATCHDOG_USEC", "")
        meant_for = environ.pop("WATCHDOG_PID", "") or str(os.getpid())
        if address and address[0] not in "/@":
            logger.warning("NOTIFY_SOCKET is '%s', which is not a Unix socket: nobody is notified", address)
            address = ""
        watched = microseconds.isdecimal() and int(microseconds) > 0 and meant_for == str(os.getpid())
        return cls(address, int(microseconds) / 1e6 if watched else None)

    def ready(self) -> None:
        """Everything serves."""
        self._up = True
        self._send("READY=1")

    def stopping(self) -> None:
        """No new connections are taken from now on."""
        self._stopping = True
        self._send("STOPPING=1")

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """For as long as the block lasts. Before the start is over and after the end has begun it says nothing."""
        told = self._up and not self._stopping
        if told:
            # Type=notify-reload wants to know that this is not the answer to an earlier signal.
            self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            if told and not self._stopping:
                self._send("READY=1")

    async def attend(self, status: Callable[[], str]) -> None:
        """Send ``status()`` whenever it has changed, and the signs of life; until it is cancelled."""
        if not self._address:
            return
        pause = _LOOK if self._watchdog is None else min(_LOOK, self._watchdog / 3)
        while True:
            self._tell(status())
            await asyncio.sleep(pause)

    def _tell(self, status: str) -> None:
        lines = ["WATCHDOG=1"] if self._watchdog is not None else []
        if status != self._status:
            self._status = status
            lines.append(f"STATUS={status}")
        if lines:
            self._send("\n".join(lines))

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # An @ stands for the zero byte that abstract addresses begin with.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # A manager that does not read must not hold up the control process.
                sender.setblocking(False)
                sender.sendto(message.encode(), address)
        except OSError as error:
            logger.warning("the service manager cannot be told %s: %s", message.partition("\n")[0], error)
