"""Tells when the file behind a path may have changed, and whether somebody is still writing to it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import defaultdict

from gateway.config.inotify import Event, Flag, Inotify

logger = logging.getLogger("gateway.config")

# A directory tells of its entries being put, taken away and finished, but not of every write: routes.yaml may well
# lie beside a database or a log that is written to all the time.
_DIRECTORY = Flag.CREATE | Flag.MOVED_TO | Flag.MOVED_FROM | Flag.DELETE | Flag.CLOSE_WRITE | Flag.ONLYDIR
_FILE = Flag.MODIFY | Flag.CLOSE_WRITE | Flag.ATTRIB
# As many as the kernel follows before it says ELOOP, path_resolution(7).
_MOST_LINKS = 40


def links(path: str) -> dict[str, set[str]]:
    """The directory entries that decide which file ``path`` means: directory → names.

    These are the file's own entry and every symbolic link on the way. Kubernetes mounts a ConfigMap as
    ``routes.yaml -> ..data/routes.yaml`` with ``..data -> ..2026_01_31/`` and publishes a new version by renaming
    a new ``..data`` over the old one, so nothing ever happens to routes.yaml or in its final directory.
    """
    entries: dict[str, set[str]] = defaultdict(set)
    todo = os.path.join(os.getcwd(), path).split("/")[::-1]
    at = "/"
    followed = 0
    while todo:
        name = todo.pop()
        if name in ("", "."):
            continue
        if name == "..":
            at = os.path.dirname(at)
            continue
        here = os.path.join(at, name)
        try:
            target = os.readlink(here)
        except OSError:  # no link, or nothing there (yet)
            if not todo or not os.path.lexists(here):
                entries[at].add(name)
                break
            at = here
            continue
        entries[at].add(name)
        followed += 1
        if followed > _MOST_LINKS:
            break
        if target.startswith("/"):
            at = "/"
        todo.extend(target.split("/")[::-1])
    return dict(entries)


class FileEvents:
    """Wakes its one waiter when something happened to the file. Made inside a running event loop.

    ``live`` is False where the system gives no events (not Linux, no watches left); ``wait`` then only sleeps.
    ``writing`` is True from a write (or creation) until the writer has closed the file.
    """

    def __init__(self, path: str) -> None:
        self.live = False
        self.writing = False
        self._path = path
        self._stirred = asyncio.Event()
        self._entries: dict[int, set[str]] = {}
        self._file: int | None = None
        self._loop = asyncio.get_running_loop()
        self._inotify: Inotify | None = None
        try:
            self._inotify = Inotify()
            self._loop.add_reader(self._inotify.fileno(), self._on_readable)
            self.place()
            self.live = self._inotify is not None
        except (OSError, NotImplementedError) as error:
            self._give_up(error)

    async def wait(self, timeout: float) -> bool:
        """True as soon as something happened, False after ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._stirred.wait()
        except TimeoutError:
            return False
        self._stirred.clear()
        return True

    def place(self) -> None:
        """Put the watches where the path leads now."""
        if self._inotify is None:
            return
        try:
            entries: dict[int, set[str]] = defaultdict(set)
            for directory, names in links(self._path).items():
                entries[self._inotify.watch(directory, _DIRECTORY)] |= names
            try:
                file = self._inotify.watch(self._path, _FILE)
            except (FileNotFoundError, PermissionError):
                # Without permission there are no events either; the poll sees when there is one again.
                file = None
        except OSError as error:
            self._give_up(error)
            return
        for stale in {*self._entries, self._file} - {*entries, file, None}:
            assert stale is not None
            self._inotify.unwatch(stale)
        self._entries, self._file = dict(entries), file

    def close(self) -> None:
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()
            self._inotify = None
        self.live = False

    def _give_up(self, error: Exception) -> None:
        logger.info("%s: no file events (%s); polling instead", os.path.basename(self._path), error)
        self.close()
        self.writing = False

    def _on_readable(self) -> None:
        assert self._inotify is not None
        moved = False
        for event in self._inotify.read():
            if event.watch == self._file:
                self._on_file(event)
            elif event.name in self._entries.get(event.watch, ()) or event.mask & Flag.Q_OVERFLOW:
                moved = True
                self._on_entry(event)
            else:
                continue
            self._stirred.set()
        if moved:
            self.place()

    def _on_file(self, event: Event) -> None:
        if event.mask & Flag.MODIFY:
            self.writing = True
        elif event.mask & (Flag.CLOSE_WRITE | Flag.IGNORED):
            self.writing = False

    def _on_entry(self, event: Event) -> None:
        # A file that was created, rather than renamed or linked into place, is being written by who created it.
        # The directory tells of the end too: the watch on the new inode may come too late to see it.
        self.writing = bool(event.mask & Flag.CREATE) and not os.path.islink(self._path)
