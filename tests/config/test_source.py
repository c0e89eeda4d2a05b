from __future__ import annotations

import os
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from gateway.config.problem import ConfigError
from gateway.config.source import MAX_BYTES, decode, read


def refusal(raw: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        decode(raw, "f")
    return str(caught.value)


def test_a_byte_order_mark_is_kept() -> None:
    assert decode(b"\xef\xbb\xbfa: 1\r\n", "f") == "\ufeffa: 1\r\n"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff", "f:1:1: not UTF-8: the byte 0xFF at offset 0; save the file as UTF-8"),
        ("a: é\nbö: ".encode() + b"\xfc", "f:2:5: not UTF-8: the byte 0xFC at offset 11; save the file as UTF-8"),
        (b"a: 1\r\nb: \x80", "f:2:4: not UTF-8: the byte 0x80 at offset 9; save the file as UTF-8"),
        (b"a: 1\rb: \xc3", "f:2:4: not UTF-8: the byte 0xC3 at offset 8; save the file as UTF-8"),
        (b"a: \xed\xa0\x80", "f:1:4: not UTF-8: the byte 0xED at offset 3; save the file as UTF-8"),
    ],
)
def test_what_is_not_utf_8_is_refused_with_its_place(raw: bytes, message: str) -> None:
    assert refusal(raw) == message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_named(encoding: str) -> None:
    assert refusal("a: 1".encode(encoding)) == f"f:1:1: the file is {encoding.upper()}; save it as UTF-8"


def test_a_file_of_50_mb_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    tracemalloc.start()
    begun = time.process_time()
    raw = read(path, "routes.yaml")
    assert refusal(raw) == "f: the file is larger than 4 MiB, the most that is read"
    assert time.process_time() - begun < 1
    assert tracemalloc.get_traced_memory()[1] < 3 * MAX_BYTES
    tracemalloc.stop()


def test_the_longest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(decode(read(path, "f"), "f")) == MAX_BYTES


def unreadable(path: str | Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, "f")
    return str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "none.yaml") == "f: no such file"
    assert unreadable(tmp_path / "file" / "x") == "f: no such file"


def test_a_directory(tmp_path: Path) -> None:
    assert unreadable(tmp_path) == "f: is a directory"


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are Unix")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert unreadable(tmp_path / "pipe") == "f: is not a regular file"


def test_a_device_has_no_end() -> None:
    assert unreadable("/dev/zero") == "f: is not a regular file"


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert unreadable(tmp_path / "a" / "b") == "f: cannot be read: Not a directory"


def test_a_path_with_nul() -> None:
    assert unreadable("a\0b") == "f: a path cannot have a NUL character in it"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.touch(0)
    assert unreadable(path) == "f: no permission to read it"
