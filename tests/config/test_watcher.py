from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from gateway.config import file_events
from gateway.config.file_events import FileEvents, links
from gateway.config.source import Unreadable
from gateway.config.watcher import FileWatcher, looks_unfinished

NOBODY = 65534

OLD = b"version: 1\ndefault: legacy\nroutes:\n  - path: /books\n    to: legacy\n  - path: /users\n    to: legacy\n"
NEW = OLD.replace(b"path: /books\n    to: legacy", b"path: /books\n    to: {legacy: 90, new: 10}")


class Seen:
    """What a watcher gave, and when; the problem where there was nothing to read."""

    def __init__(self) -> None:
        self.contents: list[bytes | str] = []
        self.times: list[float] = []
        self._more = asyncio.Event()

    async def follow(self, watcher: FileWatcher) -> None:
        async for content in watcher.changes():
            self.contents.append(str(content) if isinstance(content, Unreadable) else content)
            self.times.append(time.perf_counter())
            self._more.set()

    async def next(self, timeout: float = 5.0) -> bytes | str:
        async with asyncio.timeout(timeout):
            await self._more.wait()
        self._more.clear()
        return self.contents[-1]

    async def nothing_for(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        assert self.contents == []


@asynccontextmanager
async def watching(path: Path, seen: bytes | None = OLD, poll: float = 30.0) -> AsyncIterator[Seen]:
    """The poll is out of the way unless a test asks for it: what is seen, was seen by events."""
    result = Seen()
    task = asyncio.create_task(result.follow(FileWatcher(path, seen=seen, poll=poll)))
    await asyncio.sleep(0.01)
    try:
        yield result
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "routes.yaml"
    file.write_bytes(OLD)
    return file


def replace(path: Path, content: bytes) -> None:
    """As most editors save: a new file, renamed over the old one."""
    fresh = path.with_name(path.name + ".tmp")
    fresh.write_bytes(content)
    os.replace(fresh, path)


def remove_and_write(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def move_away_and_write(path: Path, content: bytes) -> None:
    """As vim saves with `backup`: the old file becomes routes.yaml~."""
    os.rename(path, path.with_name(path.name + "~"))
    path.write_bytes(content)


@pytest.mark.parametrize("save", [Path.write_bytes, replace, remove_and_write, move_away_and_write])
async def test_every_way_to_save_a_file_is_seen_at_once(path: Path, save: Callable[[Path, bytes], object]) -> None:
    async with watching(path) as seen:
        saved = time.perf_counter()
        save(path, NEW)
        assert await seen.next() == NEW
        assert seen.times[-1] - saved < 0.2
        save(path, OLD)
        assert await seen.next() == OLD
    assert seen.contents == [NEW, OLD]


async def test_a_file_that_may_be_read_again_is_seen_with_its_events() -> None:
    """chmod and chown change neither the time of the content nor its size."""
    with tempfile.TemporaryDirectory() as folder, nobody(folder):
        path = Path(folder) / "routes.yaml"
        path.write_bytes(OLD)
        async with watching(path, poll=0.02) as seen:
            path.chmod(0)
            assert await seen.next() == "routes.yaml: no permission to read it"
            path.chmod(0o600)
            assert await seen.next() == OLD
        path.chmod(0)
        events = FileEvents(str(path))
        try:
            assert events.live
            path.chmod(0o600)
            events.place()
            path.write_bytes(NEW)
            assert await events.wait(1.0)
        finally:
            events.close()


@contextmanager
def nobody(folder: str) -> Iterator[None]:
    """Not root, who may read everything, but the owner of ``folder``, for the length of the block."""
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


async def test_a_kubernetes_configmap_is_seen_when_its_data_link_is_swapped(tmp_path: Path) -> None:
    def publish(directory: str, content: bytes) -> None:
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "routes.yaml").write_bytes(content)
        (tmp_path / "..data_tmp").symlink_to(directory)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")

    publish("..2026_01_01", OLD)
    path = tmp_path / "routes.yaml"
    path.symlink_to("..data/routes.yaml")
    async with watching(path) as seen:
        publish("..2026_01_02", NEW)
        assert await seen.next() == NEW
        publish("..2026_01_03", OLD)
        assert await seen.next() == OLD
        # The watch has moved along: a write into the directory that is live now is seen as well.
        (tmp_path / "..2026_01_03" / "routes.yaml").write_bytes(NEW)
        assert await seen.next() == NEW


async def test_a_release_directory_behind_a_link_is_seen_when_the_link_moves(tmp_path: Path) -> None:
    for name, content in (("r1", OLD), ("r2", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "routes.yaml").write_bytes(content)
    (tmp_path / "current").symlink_to(tmp_path / "r1")
    async with watching(tmp_path / "current" / "routes.yaml") as seen:
        (tmp_path / "next").symlink_to(tmp_path / "r2")
        os.replace(tmp_path / "next", tmp_path / "current")
        assert await seen.next() == NEW


async def test_a_change_of_the_inode_alone_is_seen_as_behind_a_bind_mount(tmp_path: Path, path: Path) -> None:
    """A bind-mounted file is written through another directory entry: no event comes from its own directory."""
    outside = tmp_path / "outside"
    outside.mkdir()
    os.link(path, outside / "routes.yaml")
    async with watching(path) as seen:
        (outside / "routes.yaml").write_bytes(NEW)
        assert await seen.next() == NEW


async def test_without_events_the_poll_sees_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(file_events, "Inotify", none_left)
    async with watching(path) as seen:
        path.write_bytes(NEW)
        assert await seen.next(1.0) == NEW
        replace(path, OLD)
        assert await seen.next(1.0) == OLD


async def test_the_poll_sees_a_parent_directory_that_was_swapped_and_moves_the_watch(tmp_path: Path) -> None:
    for name, content in (("live", OLD), ("fresh", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "routes.yaml").write_bytes(content)
    async with watching(tmp_path / "live" / "routes.yaml", poll=0.05) as seen:
        os.rename(tmp_path / "live", tmp_path / "old")
        os.rename(tmp_path / "fresh", tmp_path / "live")
        assert await seen.next() == NEW
        (tmp_path / "live" / "routes.yaml").write_bytes(OLD)
        assert await seen.next() == OLD


async def test_a_file_still_held_open_by_its_writer_is_not_believed(path: Path) -> None:
    """The first half is a valid routes.yaml with fewer routes: only the open file tells that it is not the end."""
    whole = b"version: 1\ndefault: new\nroutes:\n  - path: /a\n    to: legacy\n  - path: /b\n    to: new\n"
    async with watching(path) as seen:
        with path.open("wb", buffering=0) as file:
            file.write(whole[:58])
            await seen.nothing_for(0.4)
            file.write(whole[58:])
        assert await seen.next() == whole
    assert seen.contents == [whole]


async def test_a_file_created_and_still_held_open_is_not_believed(path: Path) -> None:
    async with watching(path) as seen:
        path.unlink()
        with path.open("wb", buffering=0) as file:
            file.write(NEW[:40])
            await seen.nothing_for(0.4)
            file.write(NEW[40:])
        assert await seen.next() == NEW
    assert seen.contents == [NEW]


@pytest.mark.parametrize("cut", [30, NEW.index(b"  - path: /users"), len(NEW) - 1])
async def test_a_file_written_in_two_goes_is_not_believed_half_way(path: Path, cut: int) -> None:
    async with watching(path) as seen:
        path.write_bytes(NEW[:cut])
        await seen.nothing_for(0.1)
        with path.open("ab") as file:
            file.write(NEW[cut:])
        assert await seen.next() == NEW
    assert seen.contents == [NEW]


async def test_what_looks_unfinished_is_believed_when_it_stays(path: Path) -> None:
    async with watching(path) as seen:
        path.write_bytes(OLD[: OLD.index(b"  - path: /users")])
        assert await seen.next() == OLD[: OLD.index(b"  - path: /users")]


async def test_a_writer_that_never_closes_is_believed_in_the_end(path: Path) -> None:
    result = Seen()
    task = asyncio.create_task(result.follow(FileWatcher(path, seen=OLD, held=0.1, poll=30)))
    await asyncio.sleep(0.01)
    with path.open("r+b", buffering=0) as file:
        file.write(NEW)
        assert await result.next() == NEW
    task.cancel()


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n\n"])
async def test_blank_content_is_told_and_not_given(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    result = Seen()
    task = asyncio.create_task(result.follow(FileWatcher(path, seen=OLD, held=0.05, poll=0.02)))
    path.write_bytes(content)
    assert await result.next() == "routes.yaml: the file is empty"
    await asyncio.sleep(0.1)
    assert len(result.contents) == 1
    assert [r.getMessage() for r in caplog.records] == [
        "routes.yaml: the file is empty; what runs stays, and the file is watched on"
    ]
    path.write_bytes(NEW)
    assert await result.next() == NEW
    task.cancel()


async def test_unchanged_content_is_no_change(path: Path) -> None:
    async with watching(path, poll=0.02) as seen:
        path.write_bytes(OLD)
        os.utime(path)
        path.chmod(0o600)
        replace(path, OLD)
        await seen.nothing_for(0.1)


async def test_a_change_before_the_watch_began_is_not_lost(path: Path) -> None:
    path.write_bytes(NEW)
    async with watching(path, seen=OLD) as seen:
        assert await seen.next() == NEW


@pytest.mark.parametrize("content", [NEW, OLD])
async def test_a_deleted_file_is_told_once_and_given_when_it_is_back_even_if_it_is_the_same(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway.config"):
        async with watching(path, poll=0.02) as seen:
            path.unlink()
            # Who saves by removing the old file is given a moment to write the new one.
            await seen.nothing_for(0.1)
            assert await seen.next() == "routes.yaml: no such file"
            await asyncio.sleep(0.1)
            path.write_bytes(content)
            assert await seen.next() == content
    assert len(seen.contents) == 2
    assert [r.getMessage() for r in caplog.records] == [
        "routes.yaml: no such file; what runs stays, and the file is watched on"
    ]


async def test_two_writes_within_one_tick_of_the_clock_are_both_seen(path: Path) -> None:
    """Same size, same inode and, the kernel's clock being coarse, often the same mtime."""
    one, two = NEW.replace(b"10", b"20"), NEW.replace(b"10", b"30")
    async with watching(path) as seen:
        path.write_bytes(one)
        path.write_bytes(two)
        assert await seen.next() == two


async def test_a_busy_neighbour_in_the_same_directory_does_not_wake_it(tmp_path: Path, path: Path) -> None:
    events = FileEvents(str(path))
    try:
        with (tmp_path / "bookshop.db").open("wb", buffering=0) as database:
            for _ in range(100):
                database.write(b"x")
        assert not await events.wait(0.02)
    finally:
        events.close()


async def test_nothing_is_left_open_when_it_ends(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with watching(path):
        assert len(os.listdir("/proc/self/fd")) > before
    assert len(os.listdir("/proc/self/fd")) == before


async def test_from_the_save_to_the_new_content_it_takes_little_more_than_the_settle_time(path: Path) -> None:
    async with watching(path) as seen:
        taken = []
        for n in range(10):
            saved = time.perf_counter()
            path.write_bytes(NEW + b"# %d\n" % n)
            await seen.next()
            taken.append(seen.times[-1] - saved)
    assert sorted(taken)[5] < 0.04


def test_links_names_every_entry_that_decides(tmp_path: Path) -> None:
    (tmp_path / "..v1").mkdir()
    (tmp_path / "..v1" / "routes.yaml").touch()
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "routes.yaml").symlink_to("..data/routes.yaml")
    real = tmp_path.resolve()
    assert links(str(real / "routes.yaml")) == {
        str(real): {"routes.yaml", "..data"},
        str(real / "..v1"): {"routes.yaml"},
    }


def test_links_stops_at_what_is_missing_and_at_a_circle(tmp_path: Path) -> None:
    real = tmp_path.resolve()
    assert links(str(real / "no" / "routes.yaml")) == {str(real): {"no"}}
    (real / "a").symlink_to("b")
    (real / "b").symlink_to("a")
    assert links(str(real / "a")) == {str(real): {"a", "b"}}


@pytest.mark.parametrize(
    ("content", "last", "expected"),
    [
        (NEW, OLD, False),
        (OLD, NEW, False),  # shorter, but with the same end
        (NEW[:-1], OLD, True),  # the last line is cut
        (OLD[:-1], OLD[:-1] + b"x", False),  # a file that never had a last newline
        (OLD[:45], OLD, True),
        (NEW[: NEW.index(b"  - path: /users")], OLD, True),  # cut right after what was edited
        (OLD[: OLD.index(b"  - path: /users")], OLD, True),
        (OLD.replace(b"/users\n    to: legacy", b"/users\n    to: new"), OLD, False),  # the last route moved
        (b"version: 1", None, True),
        (b"version: 1\n", None, False),
    ],
)
def test_looks_unfinished(content: bytes, last: bytes | None, expected: bool) -> None:
    assert looks_unfinished(content, last) is expected
