"""The access log, off the requests' way: a request leaves a tuple; lines and writes are made of many at once.

Lines are made in the event loop, few at a time: in a thread they would cost the same, and hold the interpreter's lock
from the loop for 5 ms whenever they get it (``sys.getswitchinterval``). Writing is done in a thread: a disk can block,
and a pipe that nobody reads does. What cannot be written in time is dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from queue import SimpleQueue
from threading import Thread
from typing import Final

from gateway.telemetry.access_line import Entry, Format, Lines
from gateway.telemetry.log_file import LogFile
from gateway.telemetry.recorder import ACCESS_LOG_DROPPED
from gateway.telemetry.slots import SlotFile

log = logging.getLogger("gateway")

# Entries that are made into lines at once: some 100 µs, for which no request is looked at.
_ENTRIES: Final = 64
# Seconds that a line may wait for others, and bytes at which they no longer do.
_DELAY: Final = 0.25
_BATCH: Final = 64 * 1024
# Bytes that may wait for the disk, in each worker.
_WAITING: Final = 8 * 1024 * 1024
# Seconds for which the end waits for the disk.
_PATIENCE: Final = 2.0
# Seconds between two complaints.
_QUIET: Final = 60.0


class AccessLog:
    """Writes one line a request to ``file``, between ``start`` and ``stop``.

    All but the writing itself happens in one event loop's thread. ``dropped`` lines are counted in ``slots``.
    """

    def __init__(self, file: LogFile, form: Format, slots: SlotFile) -> None:
        self._file = file
        self._lines = Lines(form)
        self._entries: list[Entry] = []
        self._batch: list[bytes] = []
        self._batch_size = 0
        self._batch_lines = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._queue: SimpleQueue[tuple[bytes, int] | None] = SimpleQueue()
        self._thread: Thread | None = None
        # Bytes; each is written by one thread only, the first by the loop's and the second by the writer's.
        self._handed = 0
        self._done = 0
        # So are the slots.
        self._values = slots.values
        self._queue_full = slots.allocate((ACCESS_LOG_DROPPED, "queue_full"))
        self._write_failed = slots.allocate((ACCESS_LOG_DROPPED, "write_failed"))
        self._complained = -_QUIET

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._write, name="access log", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what is left, unless the disk takes too long for that."""
        if self._thread is None:
            return
        if self._timer is not None:
            self._flush()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, _PATIENCE)
        if not self._thread.is_alive():
            self._file.close()
        self._thread = None

    def note(self, entry: Entry) -> None:
        """A request has ended."""
        entries = self._entries
        entries.append(entry)
        if self._timer is None:
            self._timer = self._loop.call_later(_DELAY, self._flush)
        elif len(entries) >= _ENTRIES:
            self._format()

    def _format(self) -> None:
        entries = self._entries
        lines = self._lines(entries, time.time() - time.perf_counter())
        self._batch.append(lines)
        self._batch_size += len(lines)
        self._batch_lines += len(entries)
        entries.clear()
        if self._batch_size >= _BATCH:
            self._hand_over()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._entries:
            self._format()
        if self._batch:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._handed - self._done > _WAITING:
            self._values[self._queue_full] += self._batch_lines
        else:
            self._handed += self._batch_size
            self._queue.put((b"".join(self._batch), self._batch_lines))
        self._batch.clear()
        self._batch_size = self._batch_lines = 0

    # In its own thread.

    def _write(self) -> None:
        while (batch := self._queue.get()) is not None:
            lines, count = batch
            try:
                self._file.write(lines)
            except OSError as error:
                self._values[self._write_failed] += count
                self._complain(error)
            self._done += len(lines)

    def _complain(self, error: OSError) -> None:
        now = time.monotonic()
        if now - self._complained >= _QUIET:
            self._complained = now
            log.error("the access log cannot be written: %s", error)
