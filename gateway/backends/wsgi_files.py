"""``wsgi.file_wrapper`` (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

from typing import IO

BLOCK = 64 * 1024
"""Bytes: what is read at once, at least. Werkzeug suggests 8 KiB, a hop between threads for every 8 KiB."""


class FileWrapper:
    """An iterable over the blocks of a file, read with ``read`` only.

    Werkzeug serves a Range by seeking in what the server's wrapper gave it. One without ``seek`` makes it read, and
    throw away, all that stands before the range.
    """

    def __init__(self, file: IO[bytes], block_size: int = BLOCK) -> None:
        self._file = file
        self._block_size = max(block_size, BLOCK)
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(self._block_size)
        if not block:
            raise StopIteration
        return block

    def seekable(self) -> bool:
        seekable = getattr(self._file, "seekable", None)
        return bool(seekable()) if seekable is not None else hasattr(self._file, "seek")

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
