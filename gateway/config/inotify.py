"""The part of Linux's inotify(7) that watching one file needs.

watchfiles does not fit in a worker that must be quick and otherwise idle: its thread wakes up every few
milliseconds and takes the GIL each time (0.3 to 0.7 % of a core for an answer within 10 ms, measured), and it drops
IN_CLOSE_WRITE, the one event that tells a finished file from one that is still being written. The file
descriptor here belongs to the event loop: no thread, and no work while nothing happens.
"""

from __future__ import annotations

import ctypes
import enum
import os
import struct
import sys
from dataclasses import dataclass

_HEADER = struct.Struct("iIII")
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)


class Flag(enum.IntFlag):
    """The bits of an event's mask, with the kernel's values."""

    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    Q_OVERFLOW = 0x4000
    IGNORED = 0x8000
    ONLYDIR = 0x1000000


@dataclass(frozen=True, slots=True)
class Event:
    """``name`` is the entry of a watched directory, empty where the event is about the watched inode itself."""

    watch: int
    mask: Flag
    name: str


class Inotify:
    """One inotify instance. Raises OSError where the system has none (or none left) to give."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("inotify is a Linux system call")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._checked(self._libc.inotify_init1(_NONBLOCK_CLOEXEC))

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def fileno(self) -> int:
        return self._fd

    def watch(self, path: str, mask: Flag) -> int:
        """Watch the inode that ``path`` leads to. The same inode gives the same number again."""
        return self._checked(self._libc.inotify_add_watch(self._fd, os.fsencode(path), ctypes.c_uint32(mask)))

    def unwatch(self, watch: int) -> None:
        # EINVAL: the kernel has dropped the watch already, because its inode is gone.
        self._libc.inotify_rm_watch(self._fd, watch)

    def read(self) -> list[Event]:
        """All events that have come since the last call; none is no error."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return []
        events = []
        offset = 0
        while offset < len(data):
            watch, mask, _cookie, length = _HEADER.unpack_from(data, offset)
            offset += _HEADER.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            events.append(Event(watch, Flag(mask), name))
        return events

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
