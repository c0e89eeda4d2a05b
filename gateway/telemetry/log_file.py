"""A log that several processes write to, and that may be moved away at any time."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from select import PIPE_BUF
from typing import Final

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY

# Addresses of people stand in it: not for everybody.
_MODE: Final = 0o640


class LogFile:
    """Appends whole lines to the file at ``path``, or to an open ``descriptor``, which is then its own.

    Each write goes to the end of the file wherever that is by then (O_APPEND), so lines of several workers do not
    mix. When the file has been moved or deleted, as logrotate does, the next write makes a new one: no signal is
    needed.
    """

    def __init__(self, path: Path | None, descriptor: int = -1) -> None:
        """Raises OSError when the file cannot be opened."""
        self._path = path
        self._descriptor = descriptor if path is None else _open(path)
        found = os.fstat(self._descriptor)
        self._identity = (found.st_dev, found.st_ino)
        # POSIX write(): only up to this many bytes are sure to stay together in a pipe with several writers.
        self._together = None if stat.S_ISREG(found.st_mode) else PIPE_BUF

    def write(self, lines: bytes) -> None:
        """Append ``lines``, all of them with their ends. May block. Raises OSError."""
        if self._path is not None:
            self._follow(self._path)
        if self._together is None:
            self._write(lines)
        else:
            for piece in pieces(lines, self._together):
                self._write(piece)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _follow(self, path: Path) -> None:
        """Open the file anew, if what is at its path is another one by now."""
        try:
            found = os.stat(path)
            if (found.st_dev, found.st_ino) == self._identity:
                return
        except FileNotFoundError:
            pass
        fresh = _open(path)
        self.close()
        self._descriptor = fresh
        found = os.fstat(fresh)
        self._identity = (found.st_dev, found.st_ino)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def pieces(lines: bytes, most: int) -> list[bytes]:
    """``lines`` cut at line ends into pieces of at most ``most`` bytes; a longer line is a piece of its own."""
    found: list[bytes] = []
    start = 0
    while len(lines) - start > most:
        end = lines.rfind(b"\n", start, start + most) + 1 or lines.find(b"\n", start) + 1 or len(lines)
        found.append(lines[start:end])
        start = end
    if start < len(lines):
        found.append(lines[start:])
    return found


def _open(path: Path) -> int:
    # Not to wait for a reader, if it is a named pipe: without one that is an error.
    descriptor = os.open(path, _FLAGS | os.O_NONBLOCK, _MODE)
    os.set_blocking(descriptor, True)
    return descriptor
