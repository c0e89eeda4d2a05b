from __future__ import annotations

import io
from typing import IO, cast

from gateway.backends.wsgi_files import BLOCK, FileWrapper


def test_a_file_is_read_in_blocks_of_a_useful_size() -> None:
    data = b"x" * (2 * BLOCK + 10)
    assert [len(block) for block in FileWrapper(io.BytesIO(data), 8192)] == [BLOCK, BLOCK, 10]
    assert [len(block) for block in FileWrapper(io.BytesIO(data), 4 * BLOCK)] == [2 * BLOCK + 10]


def test_the_file_is_closed() -> None:
    file = io.BytesIO(b"abc")
    FileWrapper(file).close()
    assert file.closed


def test_a_file_like_object_needs_nothing_but_read() -> None:
    class Words:
        def __init__(self) -> None:
            self.words = [b"a", b"b", b""]

        def read(self, size: int) -> bytes:
            return self.words.pop(0)

    wrapper = FileWrapper(cast("IO[bytes]", Words()))
    assert not hasattr(wrapper, "close")
    assert not wrapper.seekable()
    assert list(wrapper) == [b"a", b"b"]


def test_seeking_goes_to_the_file() -> None:
    wrapper = FileWrapper(io.BytesIO(b"0123456789"))
    assert wrapper.seekable()
    wrapper.seek(4)
    assert wrapper.tell() == 4
    assert next(wrapper) == b"456789"
