"""Numbers in shared memory: one worker writes, the control process reads, and a crash loses nothing.

A slot is one float in a file that is mapped into memory. Adding to it costs as much as adding to a list item: no
lock, no system call, no message between processes. What a slot means stands in a second file, one JSON line a key,
written before the slot is first used. The kernel keeps both when the worker is killed, so the counts of a worker
that has died are still exact.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

# A sparse file: pages that no slot has touched take no memory. At some 40 slots for a route on two backends this is
# room for 10,000 routes and more.
CAPACITY = 1 << 20
# Kept free for the overflow of every kind of key.
_RESERVE = 256
_ITEM = 8

Key = tuple[str, ...]


class SlotFile:
    """The writing side. Slots are allocated in the thread of the event loop, and each is written by one thread only."""

    def __init__(self, path: Path | None = None) -> None:
        """``path=None`` keeps the numbers in this process, for a gateway without a control process."""
        if path is None:
            self._map = mmap.mmap(-1, CAPACITY * _ITEM)
            self._keys = -1
        else:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(descriptor, CAPACITY * _ITEM)
                self._map = mmap.mmap(descriptor, CAPACITY * _ITEM)
            finally:
                os.close(descriptor)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._keys = os.open(_keys_path(path), flags, 0o600)
        self.values = memoryview(self._map).cast("d")
        self._allocated: dict[Key, int] = {}
        self._widths: dict[Key, int] = {}
        self._next = 0

    def allocate(self, key: Key, width: int = 1) -> int:
        """The index of the first of ``width`` neighbouring slots for ``key``: the same whenever it is asked.

        When the file is full, what is new goes to one shared place whose labels all read ``overflow``: the sums
        stay right, the labels are lost, and memory stays bounded.
        """
        known = self._allocated.get(key)
        if known is not None:
            return known
        if self._next + width > CAPACITY - _RESERVE:
            overflow = (key[0], *("overflow" for _ in key[1:]))
            index = self._allocated.get(overflow)
            if index is None:
                index = self._place(overflow, width)
            # Not remembered under its own key: a full table must not grow the dict either.
            return index
        return self._place(key, width)

    def _place(self, key: Key, width: int) -> int:
        index = self._next
        if index + width > CAPACITY:
            raise MemoryError("no slot is left, not even for the overflow")
        if self._keys >= 0:
            os.write(self._keys, json.dumps([index, width, *key]).encode() + b"\n")
        self._next = index + width
        self._allocated[key] = index
        self._widths[key] = width
        return index

    def items(self) -> Iterator[tuple[Key, Sequence[float]]]:
        for key, index in self._allocated.items():
            yield key, self.values[index : index + self._widths[key]].tolist()

    def close(self) -> None:
        """Give the memory back. The files stay, for the reader to take their last values."""
        self.values.release()
        self._map.close()
        if self._keys >= 0:
            os.close(self._keys)


class SlotReader:
    """The reading side, also of a worker that no longer runs."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError while the worker has not made its files yet."""
        self._path = path
        self._keys = open(_keys_path(path), "rb")  # noqa: SIM115 - kept open between scrapes
        try:
            with open(path, "rb") as values:
                self._map = mmap.mmap(values.fileno(), CAPACITY * _ITEM, access=mmap.ACCESS_READ)
        except BaseException:
            self._keys.close()
            raise
        self._values = memoryview(self._map).cast("d")
        self._known: list[tuple[Key, int, int]] = []
        self._rest = b""

    def items(self) -> Iterator[tuple[Key, Sequence[float]]]:
        *lines, self._rest = (self._rest + self._keys.read()).split(b"\n")
        for line in lines:
            index, width, *key = json.loads(line)
            self._known.append((tuple(key), index, width))
        for names, index, width in self._known:
            yield names, self._values[index : index + width].tolist()

    def close(self) -> None:
        self._values.release()
        self._map.close()
        self._keys.close()

    def remove(self) -> None:
        """Close, and delete the files."""
        self.close()
        self._path.unlink(missing_ok=True)
        _keys_path(self._path).unlink(missing_ok=True)


def _keys_path(path: Path) -> Path:
    return path.with_name(path.name + ".keys")
