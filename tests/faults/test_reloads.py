"""The routes file in trouble under load: rewritten without pause, broken, deleted, on a disk that is full."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.behaviour.probe import config, metric, replace, settled_on
from tests.behaviour.process import GatewayProcess, eventually
from tests.faults.conftest import Tell
from tests.faults.ledger import Ledger
from tests.faults.length import long
from tests.faults.servers import UVICORN, Server, reserved_port
from tests.faults.test_workers import ROUTES, more_right
from tests.faults.traffic import Traffic

BAD = (
    "",
    "version: 2\n",
    "version: 1\nbackends: {\n",
    "\x00\x01\x02",
    "routes: [[[[\n" * 1000,
    "- not\n- a mapping\n",
)


class Texts:
    """Good and bad content of the routes file. Each good one is another version."""

    def __init__(self, port: int) -> None:
        self._base = ROUTES.format(new=port)
        self._random = random.Random(1)
        self._good = 0

    def good(self) -> str:
        self._good += 1
        share = self._good * 7 % 100
        return self._base.replace("{legacy: 50, new: 50}", f"{{legacy: {100 - share}, new: {share}}}")

    def bad(self) -> str:
        return self._random.choice((*BAD, self._base[: len(self._base) // 2], self._base + "unknown: 1\n"))


@contextmanager
def gateway_and_texts(folder: Path, ledger: Ledger, *args: str) -> Iterator[tuple[GatewayProcess, Texts]]:
    with reserved_port() as port, Server("new", ledger, port, *UVICORN):
        texts = Texts(port)
        routes = folder / "routes.yaml"
        routes.write_text(texts.good())
        with GatewayProcess(routes, *args, workers=2, env={"FAULTS_BOOK": str(ledger.book("legacy"))}) as gateway:
            yield gateway, texts


def test_a_storm_of_good_and_bad_files(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with gateway_and_texts(tmp_path, ledger) as (gateway, texts):
        with Traffic(gateway.url) as traffic:
            for turn in range(long(40, 500)):
                text = texts.bad() if turn % 3 == 2 else texts.good()
                if turn % 2:
                    replace(gateway.routes, text)
                else:
                    gateway.routes.write_text(text)
                if turn % 5 == 4:
                    more_right(traffic, 5)
            last = texts.good()
            replace(gateway.routes, last)
            eventually(lambda: settled_on(gateway, last))
            more_right(traffic, 50)
        row = tell("reload storm, bad files in between", traffic, ledger=ledger)
        assert metric(gateway, "gateway_worker_restarts_total") == 0
        assert "Traceback" not in gateway.log()
    assert row.broken == 0, traffic.reasons()


def test_the_file_is_deleted_and_comes_back(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with gateway_and_texts(tmp_path, ledger) as (gateway, texts):
        with Traffic(gateway.url) as traffic:
            for turn in range(long(4, 20)):
                gateway.routes.unlink()
                more_right(traffic, 20)
                if turn % 2:
                    # In its place for a while: something that cannot be read as a file.
                    gateway.routes.mkdir()
                    more_right(traffic, 20)
                    gateway.routes.rmdir()
                text = texts.good()
                gateway.routes.write_text(text)
                eventually(lambda text=text: settled_on(gateway, text))  # type: ignore[misc]
        row = tell("routes file deleted and brought back", traffic, ledger=ledger)
        assert "Traceback" not in gateway.log()
    assert row.broken == 0, traffic.reasons()


def test_a_worker_started_while_the_file_is_gone_or_bad_serves_on(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    with gateway_and_texts(tmp_path, ledger) as (gateway, texts):
        with Traffic(gateway.url) as traffic:
            more_right(traffic, 20)
            gateway.routes.unlink()
            victim = gateway.worker_pids()[0]
            os.kill(victim, 9)
            eventually(lambda: len({*gateway.worker_pids()} - {victim}) == 2, timeout=20)
            more_right(traffic, 50)
            text = texts.good()
            replace(gateway.routes, text)
            eventually(lambda: settled_on(gateway, text))
        row = tell("worker killed while the routes file is gone", traffic, ledger=ledger)
    assert row.broken <= 6


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_the_disk_of_the_state_folder_is_full(tmp_path: Path, ledger: Ledger, tell: Tell) -> None:
    """The history goes on in memory, and is whole when there is room again."""
    with (
        small_disk(tmp_path / "disk") as disk,
        gateway_and_texts(tmp_path, ledger, "--state", str(disk / "state")) as (gateway, texts),
    ):
        with Traffic(gateway.url) as traffic:
            more_right(traffic, 20)
            filler = fill(disk)
            for _ in range(long(5, 20)):
                text = texts.good()
                replace(gateway.routes, text)
                eventually(lambda text=text: settled_on(gateway, text))  # type: ignore[misc]
                more_right(traffic, 10)
            assert "the history goes on in memory" in gateway.log()
            version = config(gateway)["version"]
            assert gateway.ask("/api/v1/history").json()["versions"][0]["version"] == version
            filler.unlink()
            text = texts.good()
            replace(gateway.routes, text)
            eventually(lambda: settled_on(gateway, text))
            journal = disk / "state" / "journal"
            eventually(lambda: len(journal.read_text().splitlines()) == version + 1)
            more_right(traffic, 20)
        row = tell("disk full in the state folder", traffic, ledger=ledger)
        assert "Traceback" not in gateway.log()
    assert row.broken == 0, traffic.reasons()
