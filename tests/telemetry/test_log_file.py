from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from select import PIPE_BUF

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.log_file import LogFile, pieces


def test_two_writers_append_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"before\n")
    one, other = LogFile(path), LogFile(path)
    for number in range(3):
        one.write(b"one %d\n" % number)
        other.write(b"other %d\n" % number)
    assert path.read_text().splitlines() == ["before", *(f"{who} {n}" for n in range(3) for who in ("one", "other"))]
    one.close()
    other.close()


def test_a_new_file_is_not_for_everybody(tmp_path: Path) -> None:
    LogFile(tmp_path / "access.log").close()
    assert stat.S_IMODE((tmp_path / "access.log").stat().st_mode) & 0o007 == 0


@pytest.mark.parametrize("by", ["moved", "deleted", "replaced"])
def test_after_a_rotation_the_next_line_is_in_the_new_file(tmp_path: Path, by: str) -> None:
    path = tmp_path / "access.log"
    file = LogFile(path)
    file.write(b"old\n")
    if by == "deleted":
        path.unlink()
    else:
        path.rename(tmp_path / "access.log.1")
    if by == "replaced":  # logrotate's `create`
        path.touch()
    file.write(b"new\n")
    file.write(b"newer\n")
    assert path.read_bytes() == b"new\nnewer\n"
    if by != "deleted":
        assert (tmp_path / "access.log.1").read_bytes() == b"old\n"
    file.close()


def test_a_file_that_was_emptied_in_place_begins_anew(tmp_path: Path) -> None:
    """logrotate's `copytruncate`."""
    path = tmp_path / "access.log"
    file = LogFile(path)
    file.write(b"old\n")
    os.truncate(path, 0)
    file.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    file.close()


def test_lines_for_a_pipe_are_written_in_pieces_that_stay_together() -> None:
    reader, writer = os.pipe()
    file = LogFile(None, writer)
    lines = b"".join(b"%04d %b\n" % (number, b"x" * 90) for number in range(600))
    got: list[bytes] = []

    def read() -> None:
        while part := os.read(reader, PIPE_BUF):
            got.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    file.write(lines)
    file.close()
    thread.join(5)
    os.close(reader)
    assert b"".join(got) == lines


@pytest.mark.parametrize(("path", "error"), [(".", IsADirectoryError), ("no/such/folder", FileNotFoundError)])
def test_what_cannot_be_opened_is_told_at_once(tmp_path: Path, path: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        LogFile(tmp_path / path)


def test_a_named_pipe_without_a_reader_is_an_error_and_no_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        LogFile(tmp_path / "pipe")


@given(st.lists(st.integers(0, 40)), st.integers(1, 30))
def test_pieces_are_whole_lines_and_no_longer_than_need_be(lengths: list[int], most: int) -> None:
    lines = b"".join(b"x" * length + b"\n" for length in lengths)
    found = pieces(lines, most)
    assert b"".join(found) == lines
    for piece in found:
        assert piece.endswith(b"\n")
        assert len(piece) <= most or piece.count(b"\n") == 1
