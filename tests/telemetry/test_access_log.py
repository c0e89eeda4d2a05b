from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.telemetry import access_log
from gateway.telemetry.access_line import Entry
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.log_file import LogFile
from gateway.telemetry.slots import SlotFile


def entry(number: int) -> Entry:
    return (1.0, 1.1, 1.2, f"id{number}", "::1", "GET", b"/", "1.1", "r", "new", "route", 200, 5)


def dropped(slots: SlotFile) -> dict[str, float]:
    return {reason: values[0] for (_, reason), values in slots.items()}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["request_id"] for line in path.read_text().splitlines()]


async def test_lines_are_written_in_order_without_being_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogFile(path), "json", SlotFile())
    log.start()
    for number in range(300):
        log.note(entry(number))
    assert path.read_text() == ""
    await until(lambda: ids(path) == [f"id{number}" for number in range(300)])
    log.note(entry(300))
    await until(lambda: ids(path)[-1] == "id300")
    await log.stop()


async def test_a_full_batch_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "_DELAY", 3600.0)
    path = tmp_path / "access.log"
    log = AccessLog(LogFile(path), "json", SlotFile())
    log.start()
    for number in range(1000):
        log.note(entry(number))
    await until(lambda: 300 < len(ids(path)) < 1000)
    await log.stop()
    assert len(ids(path)) == 1000


async def test_what_is_noted_before_the_end_is_written(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(LogFile(path), "json", SlotFile())
    log.start()
    log.note(entry(1))
    await log.stop()
    await log.stop()
    assert ids(path) == ["id1"]


async def test_lines_that_nobody_takes_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "_WAITING", 1 << 18)
    monkeypatch.setattr(access_log, "_PATIENCE", 0.05)
    reader, writer = os.pipe()
    slots = SlotFile()
    log = AccessLog(LogFile(None, writer), "json", slots)
    log.start()
    for number in range(10_000):
        log.note(entry(number))
    async with asyncio.timeout(1):
        await log.stop()  # the end does not wait for the pipe either
    lost = dropped(slots)["queue_full"]
    assert 5_000 < lost < 10_000
    got = b""
    while got.count(b"\n") < 10_000 - lost:
        got += os.read(reader, 1 << 16)
    assert len(got.splitlines()) == 10_000 - lost
    os.close(reader)


async def test_lines_that_cannot_be_written_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    slots = SlotFile()
    log = AccessLog(LogFile(Path("/dev/full")), "json", slots)
    log.start()
    for number in range(2):
        log.note(entry(number))
        log._flush()
    with caplog.at_level(logging.ERROR):
        await until(lambda: dropped(slots) == {"queue_full": 0.0, "write_failed": 2.0})
    assert [record.getMessage() for record in caplog.records] == [
        "the access log cannot be written: [Errno 28] No space left on device"
    ]
    await log.stop()
