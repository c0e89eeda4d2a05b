from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.telemetry import slots
from gateway.telemetry.slots import SlotFile, SlotReader


def test_a_key_gets_the_same_slots_whenever_it_asks() -> None:
    file = SlotFile()
    first = file.allocate(("requests", "a"))
    wide = file.allocate(("duration", "a"), 5)
    assert file.allocate(("requests", "a")) == first
    assert file.allocate(("requests", "b")) == wide + 5


def test_the_reader_sees_what_the_writer_adds(tmp_path: Path) -> None:
    writer = SlotFile(tmp_path / "w1")
    slot = writer.allocate(("requests", "a", "b"))
    reader = SlotReader(tmp_path / "w1")
    writer.values[slot] += 3.0
    assert dict(reader.items()) == {("requests", "a", "b"): [3.0]}
    late = writer.allocate(("duration", "ä"), 2)
    writer.values[late + 1] += 0.5
    assert dict(reader.items()) == {("requests", "a", "b"): [3.0], ("duration", "ä"): [0.0, 0.5]}
    reader.close()
    writer.close()


def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from gateway.telemetry.slots import SlotFile\n"
        "file = SlotFile(pathlib.Path(sys.argv[1]))\n"
        "slot = file.allocate(('requests',))\n"
        "for _ in range(1000): file.values[slot] += 1.0\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "w1")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    reader = SlotReader(tmp_path / "w1")
    assert dict(reader.items()) == {("requests",): [1000.0]}
    reader.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_key_waits_for_its_rest(tmp_path: Path) -> None:
    writer = SlotFile(tmp_path / "w1")
    writer.allocate(("a",))
    reader = SlotReader(tmp_path / "w1")
    keys = tmp_path / "w1.keys"
    with keys.open("ab") as file:
        file.write(b'[1, 1, "b')
    assert dict(reader.items()) == {("a",): [0.0]}
    with keys.open("ab") as file:
        file.write(b'"]\n')
    assert dict(reader.items()) == {("a",): [0.0], ("b",): [0.0]}
    reader.close()
    writer.close()


def test_a_full_file_keeps_the_sum_and_loses_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "CAPACITY", slots._RESERVE + 2)
    file = SlotFile()
    for route in ("a", "b", "c", "d"):
        file.values[file.allocate(("requests", route))] += 1.0
    assert dict(file.items()) == {
        ("requests", "a"): [1.0],
        ("requests", "b"): [1.0],
        ("requests", "overflow"): [2.0],
    }
