from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.health.board import STALE, Address, Board, BoardReader
from gateway.telemetry.exposition import Local
from gateway.telemetry.slots import SlotFile

ONE = Address("new", "http://127.0.0.1:1")
TWO = Address("new", "unix:/run/two")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "health"


@pytest.fixture
def slots(path: Path) -> Iterator[SlotFile]:
    slots = SlotFile(path)
    yield slots
    slots.close()


@pytest.fixture
def board(slots: SlotFile) -> Board:
    board = Board(slots)
    board.beat()
    return board


@pytest.fixture
def reader(path: Path) -> Iterator[BoardReader]:
    reader = BoardReader(path)
    yield reader
    reader.close()


def test_nobody_is_down_before_there_is_a_board(reader: BoardReader) -> None:
    assert reader.down() == frozenset()


def test_a_reader_learns_who_is_down_and_who_is_up_again(board: Board, reader: BoardReader) -> None:
    board.write(ONE, False)
    assert reader.down() == {ONE}
    board.write(TWO, False)
    board.write(ONE, True)
    assert reader.down() == {TWO}
    board.write(TWO, None)
    assert reader.down() == frozenset()


def test_a_reader_that_comes_late_knows_all(board: Board, path: Path) -> None:
    board.write(ONE, True)
    board.write(TWO, False)
    code = f"from gateway.health.board import *; print(BoardReader(Path({str(path)!r})).down())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True).stdout
    assert told == f"frozenset({{{TWO!r}}})\n"


def test_a_new_address_is_not_down_while_it_is_being_written(
    slots: SlotFile, board: Board, reader: BoardReader
) -> None:
    slots.allocate(("backend_health", *ONE))
    assert reader.down() == frozenset()


def test_who_gives_no_sign_of_life_is_not_believed(
    board: Board, reader: BoardReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.write(ONE, False)
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + STALE)
    assert reader.down() == frozenset()
    board.beat()
    assert reader.down() == {ONE}


def test_the_board_is_a_part_of_the_metrics_page(slots: SlotFile, board: Board) -> None:
    board.write(ONE, True)
    board.write(TWO, False)
    board.write(Address("new", "http://unknown"), None)
    [family] = [each for each in Local(slots).collect() if each.name == "gateway_backend_health"]
    assert {sample.labels["address"]: sample.value for sample in family.samples} == {ONE.url: 1.0, TWO.url: 0.0}
