from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.change.change import Change, ChangeError, Move, RollBack
from gateway.change.found import find
from gateway.change.plan import Plan, plan
from gateway.change.write import apply, write
from gateway.history.folder import write_all
from gateway.history.history import History
from tests.change.shop import ROUTES, lived

MOVED = ROUTES.replace("to: {legacy: 90, new: 10}", "to: new", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "routes.yaml"
    path.parent.mkdir()
    path.write_text(ROUTES)
    return path


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "state")


def planned(path: Path, change: Change | None = None, history: History | None = None) -> Plan:
    return plan(find(path), change or Move("GET /books", "new"), history or History(None))


def test_the_file_is_replaced_and_nothing_else_is_left(path: Path) -> None:
    before = path.stat()
    write(path, planned(path))
    assert path.read_text() == MOVED
    assert path.stat().st_ino != before.st_ino
    assert os.listdir(path.parent) == ["routes.yaml"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_stays(path: Path, mode: int) -> None:
    path.chmod(mode)
    write(path, planned(path))
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes other people's files")
def test_the_owner_stays(path: Path) -> None:
    os.chown(path, 1234, 2345)
    write(path, planned(path))
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_attributes_stay(path: Path) -> None:
    try:
        os.setxattr(path, "user.why", b"because")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write(path, planned(path))
    assert os.getxattr(path, "user.why") == b"because"


def test_a_symbolic_link_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "routes.yaml"
    link.symlink_to("etc/routes.yaml")
    write(link, planned(link))
    assert link.is_symlink()
    assert path.read_text() == MOVED


@pytest.mark.parametrize("other", ["version: 1\n", ROUTES + "\n", ""])
def test_a_file_that_has_changed_is_not_written_over(path: Path, history: History, other: str) -> None:
    made = planned(path)
    path.write_text(other)
    with pytest.raises(ChangeError) as refused:
        apply(path, made, history, origin="command")
    assert refused.value.kind == "changed-underneath"
    assert str(refused.value) == (
        "routes.yaml has been changed by somebody else meanwhile; nothing was written: look at it, then try again"
    )
    assert path.read_text() == other
    assert history.announced(made.after.digest) is None


def test_a_file_that_is_gone_is_not_written_anew(path: Path) -> None:
    made = planned(path)
    path.unlink()
    with pytest.raises(ChangeError, match="is not there any more"):
        write(path, made)
    assert not path.exists()


def test_a_file_that_has_come_back_is_not_written_over(path: Path, history: History) -> None:
    lived(history, ROUTES)
    path.unlink()
    made = planned(path, RollBack(), history)
    path.write_text("version: 1\n")
    with pytest.raises(ChangeError, match="has been changed"):
        write(path, made)


def test_a_file_that_was_deleted_is_readable_when_it_is_back(path: Path, history: History) -> None:
    lived(history, ROUTES)
    path.unlink()
    apply(path, planned(path, RollBack(), history), history, origin="command")
    assert path.read_text() == ROUTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_who_writes_is_announced(path: Path, history: History) -> None:
    made = planned(path)
    apply(path, made, history, origin="command", user="mia", reason="parity checked")
    note = history.announced(made.after.digest)
    assert note is not None
    assert (note.origin, note.user, note.reason) == ("command", "mia", "parity checked")


def test_what_brings_no_new_version_is_not_announced(path: Path, history: History) -> None:
    """Nobody would ever pick it up, but an edit by hand that makes the same text one day."""
    lived(history, ROUTES)
    path.write_text("not good")
    apply(path, planned(path, RollBack(), history), history, origin="command")
    assert path.read_text() == ROUTES
    assert not list((path.parent.parent / "state").glob("announced/*"))


def test_a_text_that_was_never_live_is_kept_aside(path: Path, history: History) -> None:
    lived(history, ROUTES)
    path.write_text("half an hour of work")
    kept = apply(path, planned(path, RollBack(), history), history, origin="command")
    assert kept is not None
    assert kept.read_text() == "half an hour of work"
    lived(history, MOVED)
    path.write_text(MOVED)
    assert apply(path, planned(path, RollBack(), history), history, origin="command") is None


def refuse_rename(*args: Any, **more: Any) -> None:
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def test_a_file_that_is_mounted_by_itself_is_written_in_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker mounts a single file; see test_changing.py for a real mount, where one can be made."""
    monkeypatch.setattr("gateway.change.write.os.rename", refuse_rename)
    before, made = path.stat(), planned(path)
    write(path, made)
    assert path.read_text() == MOVED
    assert path.stat().st_ino == before.st_ino
    assert os.listdir(path.parent) == ["routes.yaml"]


def test_a_file_in_place_gets_its_old_content_back_when_the_disk_is_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, content: bytes) -> None:
        if content == MOVED.encode():
            os.write(file, content[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_all(file, content)

    made = planned(path)
    monkeypatch.setattr("gateway.change.write._replaced", lambda *_: False)
    monkeypatch.setattr("gateway.change.write.write_all", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, made)
    assert path.read_text() == ROUTES


def test_a_full_disk_leaves_the_old_file_and_no_announcement(
    path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = planned(path)
    monkeypatch.setattr("gateway.change.write.write_all", full)
    with pytest.raises(OSError, match="No space left"):
        apply(path, made, history, origin="command")
    assert path.read_text() == ROUTES
    assert os.listdir(path.parent) == ["routes.yaml"]
    assert history.announced(made.after.digest) is None


def test_of_many_at_once_one_wins_and_the_others_are_told(path: Path, history: History) -> None:
    made = [planned(path, Move("GET /books", backend)) for backend in ("new", "third") * 8]
    outcomes: list[str] = []

    def run(each: Plan) -> None:
        try:
            apply(path, each, history, origin="command")
        except ChangeError as error:
            outcomes.append(error.kind)
        else:
            outcomes.append(each.after.digest)

    threads = [threading.Thread(target=run, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("changed-underneath") == len(made) - 1
    [winner] = set(outcomes) - {"changed-underneath"}
    assert find(path).digest == winner
    assert history.announced(winner) is not None
