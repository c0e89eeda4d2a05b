"""The list of versions on disk: one JSON object a line, oldest first."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from gateway.history.entry import Entry
from gateway.history.folder import put, write_all


class Journal:
    """A file that is appended to, and now and then written anew without its oldest lines.

    A line that cannot be read, because the machine stopped while it was written or because somebody has edited it, is
    passed over: the others are as good as before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Entry]:
        """In ascending order of version; of two with the same number, the later line. Raises OSError.

        A file that is not there has no entries.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        entries: dict[int, Entry] = {}
        for line in lines:
            with contextlib.suppress(ValueError):
                entry = Entry.parse(line)
                entries[entry.version] = entry
        return [entries[version] for version in sorted(entries)]

    def append(self, entries: Iterable[Entry]) -> None:
        """Raises OSError; the file may then end in the middle of a line, which the next one does not go on with."""
        content = b"".join(entry.line() for entry in entries)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(file).st_size
            if end > 0 and os.pread(file, 1, end - 1) != b"\n":
                content = b"\n" + content
            write_all(file, content)
            os.fsync(file)
        finally:
            os.close(file)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the whole list. Who reads it meanwhile sees the old one or the new one. Raises OSError."""
        put(self._path, b"".join(entry.line() for entry in entries))
