"""Watches routes.yaml and gives its new content once it is whole.

The watcher knows bytes and time, nothing of YAML: what it gives may still be refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator

from gateway.config.file_events import FileEvents
from gateway.config.problem import ConfigError, Problem
from gateway.config.source import EMPTY, Unreadable, read

logger = logging.getLogger("gateway.config")

# (mtime and ctime in ns, size, inode, device) of the file that the path leads to. A file that may be read again, after
# a chmod or chown, has changed its ctime only.
Signature = tuple[int, int, int, int, int]


class FileWatcher:
    """Gives every new content of the file at ``path``, once it has been still for a moment, or why there is none.

    ``seen`` is the content that the caller already has: a change between his reading and the start of the watch is
    not lost. All times are in seconds. ``settle`` is how long new content must be still before it is believed,
    ``unfinished`` how long if it looks as if its end were missing, or if there is no file, ``held`` how long if it is
    blank or its writer still has it open. ``poll`` is how often the file is looked at even though no event came: bind
    mounts, network file systems and renamed parent directories may send none.

    What equals the last that was given is not given again.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        seen: bytes | None = None,
        settle: float = 0.02,
        unfinished: float = 0.25,
        held: float = 1.0,
        poll: float = 0.5,
    ) -> None:
        self._path = os.fspath(path)
        self._name = os.path.basename(self._path)
        self._seen = seen
        # As content, or as the reason why there is none.
        self._given: bytes | str | None = seen
        self._settle = settle
        self._unfinished = unfinished
        self._held = held
        self._poll = poll
        self._looked_at: Signature | None = None

    async def changes(self) -> AsyncGenerator[bytes | Unreadable, None]:
        """Runs until it is closed or its task is cancelled; both take effect at once."""
        events = FileEvents(self._path)
        try:
            while True:
                found = await self._settled(events)
                if found is not None:
                    self._given = found
                    yield self._unreadable(found) if isinstance(found, str) else found
                # A poll is one stat(), some microseconds; without events it has to serve alone.
                while not await events.wait(self._poll if events.live else min(self._poll, 0.1)):
                    if self._signature() != self._looked_at:
                        events.place()
                        break
        finally:
            events.close()

    def forget(self) -> None:
        """Give what is there now, even if it equals the last: the caller has read something else himself since."""
        self._given = None
        # The next poll looks at it, for what has happened to the file may have been seen already.
        self._looked_at = None

    async def _settled(self, events: FileEvents) -> bytes | str | None:
        """Wait until the file is still. None if there is nothing new to believe, a str if there is no content."""
        while True:
            before = self._looked_at = self._signature()
            found = self._read()
            if found == self._given:
                return None
            if found == EMPTY or events.writing:
                patience = self._held
            # Between the old file and the new one there may be none for a moment.
            elif isinstance(found, str) or looks_unfinished(found, self._seen):
                patience = self._unfinished
            else:
                patience = self._settle
            if await events.wait(patience):
                continue
            # Read again: two writes within one tick of the file system's clock leave the same signature.
            if self._signature() != before or self._read() != found:
                continue
            if isinstance(found, bytes):
                self._seen = found
            return found

    def _signature(self) -> Signature | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev

    def _read(self) -> bytes | str:
        """What the file has, or why that is nothing."""
        try:
            content = read(self._path, self._name)
        except ConfigError as error:
            return error.problems[0].message
        return content if content.strip() else EMPTY

    def _unreadable(self, why: str) -> Unreadable:
        logger.warning("%s: %s; what runs stays, and the file is watched on", self._name, why)
        return Unreadable([Problem(self._name, 0, 0, why)])


def looks_unfinished(content: bytes, last: bytes | None) -> bool:
    """Whether the end of ``content`` seems to be missing, as in a file whose writer has paused half-way.

    That is: its last line has lost its newline, or it has fewer lines and does not end as it did. Removing the last
    route looks just the same; a moment later it is believed all the same.
    """
    if not content.endswith(b"\n") and (last is None or last.endswith(b"\n")):
        return True
    if last is None or content.count(b"\n") >= last.count(b"\n"):
        return False
    return _end(content) != _end(last)


def _end(content: bytes) -> list[bytes]:
    """The last three lines. One would not do: in most files it reads ``to: legacy``."""
    return content.rstrip().rsplit(b"\n", 3)[-3:]
