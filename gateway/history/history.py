"""Every version of routes.yaml that was live. The control process writes it; commands and the admin API read it."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

from gateway.config.loader import digest_of
from gateway.history.announcements import Announcements
from gateway.history.entry import Announcement, Entry, Origin, short
from gateway.history.folder import make_private, put
from gateway.history.journal import Journal
from gateway.history.texts import Texts

logger = logging.getLogger("gateway.history")

# The texts of this many bytes are kept at most, but for the newest two: those are what a roll-back goes between.
MOST_BYTES: Final = 64 * 1024 * 1024
_ALWAYS: Final = 2


class History:
    """The versions in ``folder``; with None, or where it cannot be written, in memory alone.

    ``most`` versions are kept, and texts of ``most_bytes``. One process may record (see control/run_file.py), any
    number may read and announce. Nothing here raises OSError: a full disk must neither end a gateway nor stand
    between a person and a roll-back.
    """

    def __init__(self, folder: Path | None, most: int = 500, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most
        self._most_bytes = most_bytes
        # What is not on disk (yet), oldest first, and its texts by digest.
        self._unsaved: list[Entry] = []
        self._texts_in_memory: dict[str, str] = {}
        # Announcements that are not on disk, by digest.
        self._notes: dict[str, Announcement] = {}
        self._entries: list[Entry] = []
        self._read_at: tuple[int, int, int] | None = None
        self._unreadable = ""
        self._unwritable = ""
        # Saving happens in a thread, beside an event loop that records and reads.
        self._changing = threading.Lock()
        self._saving = threading.Lock()

    @property
    def folder(self) -> Path | None:
        """Where it is kept, beside whatever else belongs to this file; None for memory alone."""
        return self._folder

    @property
    def problem(self) -> str:
        """Why what was recorded last is in memory only, or what is on disk cannot be read; "" if all is well."""
        return self._unwritable or self._unreadable

    def entries(self) -> list[Entry]:
        """Oldest first."""
        with self._changing:
            self._look()
            # By version: what is being saved may be in both.
            every = {entry.version: entry for entry in (*self._entries, *self._unsaved)}
            return [every[version] for version in sorted(every)]

    def text(self, version: int) -> str:
        """The whole text of a version. Raises KeyError where there is no such version, or its text is not kept."""
        for entry in self.entries():
            if entry.version == version:
                text = self._texts_in_memory.get(entry.digest)
                if text is None and self._folder is not None:
                    text = self._texts(self._folder).get(entry.digest)
                if text is not None:
                    return text
        raise KeyError(version)

    def announce(
        self, digest: str, *, origin: Origin, user: str = "", reason: str = "", undone_to: int | None = None
    ) -> None:
        """Say who is about to write the text with this digest, before it is written.

        Where it cannot be kept on disk it is known to this object alone. In another process the version will be there
        all the same, as an edit of the file.
        """
        note = Announcement(digest, time.time(), origin, short(user), short(reason), undone_to)
        self._notes.pop(digest, None)
        if self._folder is not None:
            try:
                make_private(self._folder)
                self._announcements(self._folder).put(note)
                return
            except OSError as error:
                logger.warning("%s: who changes the file cannot be noted: %s", self._folder, error.strerror or error)
        self._notes[digest] = note

    def announced(self, digest: str) -> Announcement | None:
        """What was said about the text with this digest, if it is not live yet."""
        if digest in self._notes or self._folder is None:
            return self._notes.get(digest)
        return self._announcements(self._folder).get(digest)

    def withdraw(self, digest: str) -> None:
        """Take back an announcement: the text was not written after all."""
        self._notes.pop(digest, None)
        if self._folder is not None:
            self._announcements(self._folder).withdraw(digest)

    def record(
        self, version: int, digest: str, text: str | None, *, at: float, origin: Origin = "file", changes: str = ""
    ) -> Entry:
        """A version has become live. It is there for ``entries`` at once, and on disk after the next ``save``.

        ``origin`` is what is true if nobody has announced the text. ``text`` is None where it could not be read.
        """
        note = self.announced(digest)
        if note is None:
            entry = Entry(version, digest, at, origin, "", "", changes)
        else:
            entry = Entry(version, digest, at, note.origin, note.user, note.reason, changes, note.undone_to)
            # Those of texts before it are done with, too.
            self._notes = {other.digest: other for other in self._notes.values() if other.at > note.at}
        with self._changing:
            self._look()
            self._unsaved.append(entry)
            if text is not None:
                self._texts_in_memory[digest] = text
            self._forget_oldest_in_memory()
        return entry

    def save(self) -> None:
        """Bring to disk what is in memory alone; what cannot be saved is tried again the next time."""
        if self._folder is None:
            return
        with self._saving:
            try:
                self._save(self._folder)
            except OSError as error:
                complaint = f"{self._folder} cannot be written: {error.strerror or error}"
                if complaint != self._unwritable:
                    logger.warning("%s; the history goes on in memory", complaint)
                self._unwritable = complaint
            else:
                self._unwritable = ""

    def set_aside(self, content: bytes) -> Path | None:
        """Keep a file that is about to be replaced and was never live; None where there is no way to."""
        if self._folder is None:
            return None
        path = self._folder / f"set-aside-{digest_of(content)}.yaml"
        try:
            make_private(self._folder)
            put(path, content)
            self._drop_set_aside(keep=path)
        except OSError:
            return None
        return path

    def _save(self, folder: Path) -> None:
        with self._changing:
            saving = list(self._unsaved)
            texts = {entry.digest: self._texts_in_memory.get(entry.digest) for entry in saving}
        if not saving:
            return
        make_private(folder)
        # The text before its line: a line without a text could not be gone back to.
        for digest, text in texts.items():
            if text is not None:
                self._texts(folder).put(digest, text)
        journal = self._journal(folder)
        journal.append(saving)
        for entry in saving:
            self._announcements(folder).settle(entry.digest, entry.at)
        with self._changing:
            self._unsaved = self._unsaved[len(saving) :]
            still_wanted = {entry.digest for entry in self._unsaved}
            self._texts_in_memory = {d: text for d, text in self._texts_in_memory.items() if d in still_wanted}
            self._look()
        self._prune(folder, journal)

    def _prune(self, folder: Path, journal: Journal) -> None:
        """Forget the oldest. A tenth more than ``most`` is let grow first, so that it is not rewritten every time."""
        entries = journal.read()
        sizes = self._texts(folder).sizes()
        kept = entries[-self._most :] if len(entries) > self._most + self._most // 10 else entries
        total, wanted = 0, set()
        for index, entry in enumerate(reversed(kept)):
            if entry.digest not in wanted:
                total += sizes.get(entry.digest, 0)
                if total > self._most_bytes and index >= _ALWAYS:
                    kept = kept[len(kept) - index :]
                    break
                wanted.add(entry.digest)
        if len(kept) < len(entries):
            journal.rewrite(kept)
        if sizes.keys() - wanted:
            self._texts(folder).drop_all_but(wanted)

    def _look(self) -> None:
        """Read the journal if it has changed since."""
        if self._folder is None:
            return
        path = self._folder / "journal"
        try:
            status = os.stat(path)
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            if signature == self._read_at:
                return
            entries = self._journal(self._folder).read()
        except FileNotFoundError:
            # What was read before stays known, if somebody has cleared the folder under a running gateway.
            return
        except OSError as error:
            complaint = f"{path} cannot be read: {error.strerror or error}"
            if complaint != self._unreadable:
                logger.warning("%s", complaint)
            self._unreadable = complaint
            return
        self._unreadable = ""
        self._entries = entries
        self._read_at = signature

    def _forget_oldest_in_memory(self) -> None:
        """With the disk full for weeks, memory must not grow on either."""
        del self._unsaved[: -self._most]
        size = 0
        for index, entry in enumerate(reversed(self._unsaved)):
            size += len(self._texts_in_memory.get(entry.digest, ""))
            if size > self._most_bytes and index >= _ALWAYS:
                del self._unsaved[: len(self._unsaved) - index]
                break
        wanted = {entry.digest for entry in self._unsaved}
        self._texts_in_memory = {d: text for d, text in self._texts_in_memory.items() if d in wanted}

    def _drop_set_aside(self, keep: Path) -> None:
        assert self._folder is not None
        others = [path for path in self._folder.glob("set-aside-*.yaml") if path != keep]
        others.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in others[:-9]:
            path.unlink(missing_ok=True)

    @staticmethod
    def _journal(folder: Path) -> Journal:
        return Journal(folder / "journal")

    @staticmethod
    def _texts(folder: Path) -> Texts:
        return Texts(folder / "texts")

    @staticmethod
    def _announcements(folder: Path) -> Announcements:
        return Announcements(folder / "announced")
