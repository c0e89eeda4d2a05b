"""Watches routes.yaml and gives its new content once it is whole.

The watcher knows bytes and time, nothing of YAML: what it gives may still be refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator

from gateway.config.file_events import FileEvents
from gateway.config.problem import ConfigError
from gateway.config.source import read

logger = logging.getLogger("gateway.config")

# (mtime in ns, size, inode, device) of the file that the path leads to.
Signature = tuple[int, int, int, int]


class FileWatcher:
    """Gives every new content of the file at ``path``, once it has been still for a moment.

    ``seen`` is the content that the caller already has: a change between his reading and the start of the watch is
    not lost. All times are in seconds. ``settle`` is how long new content must be still before it is believed,
    ``unfinished`` how long if it looks as if its end were missing, ``held`` how long if its writer still has it open.
    ``poll`` is how often the file is looked at even though no event came: bind mounts, network file systems and
    renamed parent directories may send none.

    Content that is blank is never given, and neither is content that equals the last.
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
        self._settle = settle
        self._unfinished = unfinished
        self._held = held
        self._poll = poll
        self._looked_at: Signature | None = None
        self._complaint: str | None = None

    async def changes(self) -> AsyncGenerator[bytes, None]:
        """Runs until it is closed or its task is cancelled; both take effect at once."""
        events = FileEvents(self._path)
        try:
            while True:
                content = await self._settled(events)
                if content is not None:
                    self._seen = content
                    yield content
                # A poll is one stat(), some microseconds; without events it has to serve alone.
                while not await events.wait(self._poll if events.live else min(self._poll, 0.1)):
                    if self._signature() != self._looked_at:
                        events.place()
                        break
        finally:
            events.close()

    async def _settled(self, events: FileEvents) -> bytes | None:
        """Wait until the file is still. None if there is nothing new to believe."""
        while True:
            before = self._looked_at = self._signature()
            content = self._read()
            if content is None or content == self._seen:
                return None
            blank = not content.strip()
            if blank or events.writing:
                patience = self._held
            elif looks_unfinished(content, self._seen):
                patience = self._unfinished
            else:
                patience = self._settle
            if await events.wait(patience):
                continue
            # Read again: two writes within one tick of the file system's clock leave the same signature.
            if self._signature() != before or self._read() != content:
                continue
            if blank:
                self._complain("the file is empty")
                return None
            return content

    def _signature(self) -> Signature | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev

    def _read(self) -> bytes | None:
        try:
            content = read(self._path, self._name)
        except ConfigError as error:
            self._complain(error.problems[0].message)
            return None
        if content.strip():
            self._complaint = None
        return content

    def _complain(self, what: str) -> None:
        if self._complaint != what:
            self._complaint = what
            logger.warning("%s: %s; what runs stays, and the file is watched on", self._name, what)


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
