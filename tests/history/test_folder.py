from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway.history.folder import make_private, placed, put, state_folder, write_all


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_file_has_a_state_folder_of_its_own(tmp_path: Path) -> None:
    assert state_folder(tmp_path / "routes.yaml") == tmp_path / ".gateway" / "routes.yaml"
    assert state_folder(tmp_path / "other.yaml") == tmp_path / ".gateway" / "other.yaml"


def test_it_does_not_depend_on_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_folder(Path("routes.yaml")) == tmp_path / ".gateway" / "routes.yaml"
    assert state_folder(Path("routes.yaml"), Path("state")) == tmp_path / "state"


def test_it_is_private_and_out_of_the_repository(tmp_path: Path) -> None:
    folder = state_folder(tmp_path / "routes.yaml")
    make_private(folder)
    make_private(folder)
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
    assert (folder.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    make_private(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders for others")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 2345)
    make_private(tmp_path / "state" / "texts")
    put(tmp_path / "state" / "journal", b"x")
    for path in (tmp_path / "state" / "texts", tmp_path / "state" / "journal"):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    put(path, b"one")
    put(path, b"two" * 100_000)
    assert path.read_bytes() == b"two" * 100_000
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    put(path, b"one")
    with pytest.raises(OSError, match="No space left"), placed(path), open("/dev/full", "wb", buffering=0) as full:
        write_all(full.fileno(), b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        write_all(full.fileno(), b"x")
