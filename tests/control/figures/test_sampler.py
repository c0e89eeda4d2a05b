from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.control.figures import sampler as module
from gateway.control.figures.sampler import Sampler
from gateway.telemetry.exposition import Aggregate
from gateway.telemetry.recorder import Recorder
from gateway.telemetry.slots import SlotFile

LANE = ("GET /books", "new")


@pytest.fixture
def numbers() -> Iterator[Aggregate]:
    numbers = Aggregate()
    yield numbers
    numbers.close()


def serving(numbers: Aggregate, path: Path, times: int) -> None:
    numbers.add_worker(path)
    recorder = Recorder(SlotFile(path), *LANE)
    for _ in range(times):
        recorder.begin()
        recorder.end("GET", 200, 0.01)


def test_what_is_asked_for_is_of_now_and_not_read_twice(
    numbers: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(numbers)
    serving(numbers, tmp_path / "w1", 3)
    monkeypatch.setattr(module, "_FRESH", 0.0)
    assert sampler.figures().figure([LANE]).requests == 3
    monkeypatch.setattr(module, "_FRESH", 60.0)
    serving(numbers, tmp_path / "w2", 4)
    assert sampler.figures().figure([LANE]).requests == 3


def test_a_worker_that_dies_leaves_its_counts(
    numbers: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FRESH", 0.0)
    sampler = Sampler(numbers)
    serving(numbers, tmp_path / "w1", 3)
    serving(numbers, tmp_path / "w2", 4)
    numbers.retire_worker(tmp_path / "w1")
    serving(numbers, tmp_path / "w3", 5)
    assert sampler.figures().figure([LANE]).requests == 12


async def test_seconds_are_counted_only_while_somebody_looks(
    numbers: Aggregate, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(numbers)
    monkeypatch.setattr(module, "_TICK", 0.001)
    running = asyncio.create_task(sampler.run())
    begun = sampler._figures.at
    await asyncio.sleep(0.05)
    assert sampler._figures.at == begun
    sampler.figures()
    looked = sampler._figures.at
    await asyncio.sleep(0.05)
    assert sampler._figures.at > looked
    monkeypatch.setattr(module, "_LOOKS_FOR", 0.0)
    await asyncio.sleep(0.01)
    last = sampler._figures.at
    await asyncio.sleep(0.05)
    assert sampler._figures.at == last
    running.cancel()


async def test_the_charts_go_on_without_anybody_looking(numbers: Aggregate, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler(numbers)
    monkeypatch.setattr(module, "_TICK", 0.001)
    monkeypatch.setattr(module, "STEP", 0.02)
    running = asyncio.create_task(sampler.run())
    begun = sampler._figures.at
    await asyncio.sleep(0.1)
    assert sampler._figures.at > begun
    running.cancel()
