from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from gateway.config.loader import digest_of
from gateway.history.entry import Entry
from gateway.history.history import History


def lived(history: History, version: int, text: str, **more: str) -> Entry:
    """The version became live, and was saved."""
    entry = history.record(version, digest_of(text.encode()), text, at=float(version), **more)  # type: ignore[arg-type]
    history.save()
    return entry


def texts(history: History) -> list[str]:
    return [history.text(entry.version) for entry in history.entries()]


@pytest.fixture(params=["on disk", "in memory"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    return History(tmp_path / "state" if request.param == "on disk" else None)


def test_versions_are_kept_in_their_order(history: History) -> None:
    assert history.entries() == []
    for version, text in enumerate(["one", "two", "one"], 1):
        lived(history, version, text)
    assert [entry.version for entry in history.entries()] == [1, 2, 3]
    assert texts(history) == ["one", "two", "one"]
    with pytest.raises(KeyError):
        history.text(4)


def test_a_version_is_there_before_it_is_saved(history: History) -> None:
    history.record(1, digest_of(b"one"), "one", at=1.0)
    assert texts(history) == ["one"]


def test_an_edit_of_the_file_is_a_version_too(history: History) -> None:
    assert lived(history, 1, "one", origin="start", changes="the first version") == Entry(
        1, digest_of(b"one"), 1.0, "start", "", "", "the first version"
    )
    assert lived(history, 2, "two").origin == "file"


def test_another_process_reads_what_was_saved(tmp_path: Path) -> None:
    history, reader = History(tmp_path), History(tmp_path)
    assert reader.entries() == []
    lived(history, 1, "one")
    assert texts(reader) == ["one"]
    lived(history, 2, "two")
    assert texts(reader) == ["one", "two"]


def test_who_announces_a_text_is_named_with_it(tmp_path: Path) -> None:
    history, command = History(tmp_path), History(tmp_path)
    digest = digest_of(b"two")
    lived(history, 1, "one")
    command.announce(digest, origin="command", user="mia\n", reason="parity\nchecked", undone_to=1)
    entry = lived(history, 2, "two")
    assert (entry.origin, entry.user, entry.reason, entry.undone_to) == ("command", "mia", "parity checked", 1)
    assert lived(history, 3, "one").origin == "file"
    assert lived(history, 4, "two").origin == "file", "the announcement was for the first time only"


@pytest.mark.parametrize("folder", [None, "file/state"])
def test_without_a_folder_who_writes_is_known_to_the_process_that_records(tmp_path: Path, folder: str | None) -> None:
    """The admin API's roll-backs have to go further back each time there, too."""
    (tmp_path / "file").touch()
    history = History(None if folder is None else tmp_path / folder)
    history.announce(digest_of(b"one"), origin="api", user="mia", undone_to=1)
    assert history.announced(digest_of(b"one")) is not None
    entry = lived(history, 3, "one")
    assert (entry.origin, entry.user, entry.undone_to) == ("api", "mia", 1)
    assert history.announced(digest_of(b"one")) is None
    history.announce(digest_of(b"two"), origin="api")
    history.withdraw(digest_of(b"two"))
    assert history.announced(digest_of(b"two")) is None


def test_an_announcement_can_be_taken_back(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.announce(digest_of(b"one"), origin="command")
    assert history.announced(digest_of(b"one")) is not None
    history.withdraw(digest_of(b"one"))
    assert lived(history, 1, "one").origin == "file"


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    history = History(tmp_path / "state")
    lived(history, 1, "secret: hunter2")
    history.announce("0" * 12, origin="command")
    history.set_aside(b"secret: hunter2 and a mistake")
    for path in (tmp_path / "state").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    history = History(tmp_path, most=10)
    for version in range(1, 31):
        lived(history, version, f"text {version}")
    kept = [entry.version for entry in history.entries()]
    assert kept[-1] == 30
    assert 10 <= len(kept) <= 11
    assert len(list((tmp_path / "texts").iterdir())) == len(kept)
    assert texts(history) == [f"text {version}" for version in kept]


def test_texts_are_bounded_by_their_size_too(tmp_path: Path) -> None:
    history = History(tmp_path, most_bytes=3500)
    for version in range(1, 11):
        lived(history, version, f"{version:04}" * 250)
    assert [entry.version for entry in history.entries()] == [8, 9, 10]
    assert len(list((tmp_path / "texts").iterdir())) == 3


def test_the_last_two_are_kept_whatever_their_size(tmp_path: Path) -> None:
    history = History(tmp_path, most_bytes=10)
    for version in range(1, 5):
        lived(history, version, f"{version:04}" * 250)
    assert [entry.version for entry in history.entries()] == [3, 4]
    assert texts(history) == ["0003" * 250, "0004" * 250]


def test_a_text_that_comes_back_again_and_again_is_kept_once(tmp_path: Path) -> None:
    history = History(tmp_path, most_bytes=2500)
    for version in range(1, 21):
        lived(history, version, ("a", "b")[version % 2] * 1000)
    assert len(history.entries()) == 20
    assert len(list((tmp_path / "texts").iterdir())) == 2


def test_a_full_disk_costs_nothing_but_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, the history goes on in memory, and is saved when there is room again."""

    def half(file: int, content: bytes) -> None:
        os.write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    history = History(tmp_path)
    lived(history, 1, "one")
    with monkeypatch.context() as patch:
        patch.setattr("gateway.history.journal.write_all", half)
        lived(history, 2, "two")
        lived(history, 3, "three")
    assert caplog.messages == [f"{tmp_path} cannot be written: No space left on device; the history goes on in memory"]
    assert history.problem
    assert texts(history) == ["one", "two", "three"]
    lived(history, 4, "four")
    assert not history.problem
    assert texts(History(tmp_path)) == ["one", "two", "three", "four"]


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / "state")
    lived(history, 1, "one")
    lived(history, 2, "two")
    assert history.set_aside(b"x") is None
    assert texts(history) == ["one", "two"]
    assert sum("cannot be written" in message for message in caplog.messages) == 1


def test_memory_is_bounded_while_nothing_can_be_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "file").touch()
    for history in (History(None, 10, most_bytes=5000), History(tmp_path / "file" / "x", 10, most_bytes=5000)):
        for version in range(1, 50):
            lived(history, version, f"{version:04}" * (250 if version > 20 else 1))
        assert [entry.version for entry in history.entries()] == [45, 46, 47, 48, 49]
        assert len(texts(history)) == 5


def test_a_lost_text_is_not_made_up(tmp_path: Path) -> None:
    history = History(tmp_path)
    lived(history, 1, "one")
    (tmp_path / "texts" / f"{digest_of(b'one')}.yaml").write_text("another")
    with pytest.raises(KeyError):
        history.text(1)
    assert [entry.version for entry in history.entries()] == [1]


def test_a_version_whose_text_could_not_be_read_is_still_one(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.record(1, "0" * 12, None, at=1.0)
    history.save()
    assert [entry.version for entry in History(tmp_path).entries()] == [1]
    with pytest.raises(KeyError):
        history.text(1)


def test_a_folder_that_is_cleared_under_a_running_gateway_is_made_again(tmp_path: Path) -> None:
    history = History(tmp_path / "state")
    lived(history, 1, "one")
    for path in sorted((tmp_path / "state").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "state").rmdir()
    lived(history, 2, "two")
    assert history.text(2) == "two"
    assert [entry.version for entry in History(tmp_path / "state").entries()] == [2]


def test_what_is_set_aside_is_bounded(tmp_path: Path) -> None:
    history = History(tmp_path)
    paths = [history.set_aside(f"never live {number}".encode()) for number in range(15)]
    kept = [path for path in paths if path is not None and path.exists()]
    assert kept == paths[-len(kept) :]
    assert len(kept) == 10


def test_reading_and_saving_at_once_loses_nothing(tmp_path: Path) -> None:
    """The gateway saves in a thread while its loop records and the admin page reads."""
    history = History(tmp_path)
    threads = []
    for version in range(1, 21):
        history.record(version, digest_of(str(version).encode()), str(version), at=1.0)
        threads.append(threading.Thread(target=history.save))
        threads[-1].start()
        assert texts(history) == [str(number) for number in range(1, version + 1)]
    for thread in threads:
        thread.join()
    assert texts(history) == texts(History(tmp_path)) == [str(number) for number in range(1, 21)]
