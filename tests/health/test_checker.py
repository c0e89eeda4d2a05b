"""Who is checked, how often, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.config.backend import BackendConfig, Tls
from gateway.config.health import HealthCheck
from gateway.health import checker as checker_module
from gateway.health.board import Address, Board
from gateway.health.checker import Checker
from gateway.telemetry.slots import SlotFile
from tests.upstream.scripted import App, Peer, app, eventually

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ILL = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
CHECK = HealthCheck(path="/healthz", every=0.1, timeout=0.1, healthy_after=2, unhealthy_after=2)


class Patient:
    """Says what it is told to say, and counts how many asked at once."""

    def __init__(self) -> None:
        self.says: bytes | None = WELL
        self.checks = 0
        self.at: list[float] = []
        self.at_once = 0
        self.most = 0

    async def __call__(self, peer: Peer) -> None:
        await peer.head()
        self.checks += 1
        self.at.append(asyncio.get_running_loop().time())
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if self.says is not None:
                await peer.say(self.says)
            await peer.rest()
        finally:
            self.at_once -= 1


class Stage:
    def __init__(self, checker: Checker, slots: SlotFile) -> None:
        self.checker = checker
        self._slots = slots

    def up(self, served: App, backend: str = "new") -> bool | None:
        return self.checker.checked[Address(backend, served.url)].up

    def written(self, served: App) -> float | None:
        items = dict(self._slots.items())
        values = items.get(("backend_health", "new", served.url))
        return None if values is None else values[0]


@asynccontextmanager
async def checking() -> AsyncIterator[Stage]:
    slots = SlotFile()
    checker = Checker(Board(slots))
    try:
        yield Stage(checker, slots)
    finally:
        await checker.stop()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("health")]


def backend(*urls: str, health: HealthCheck | None = CHECK, **more: Any) -> BackendConfig:
    return BackendConfig(urls=urls, health=health, **more)


async def test_down_and_up_again_after_enough_checks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    patient = Patient()
    async with app(patient) as served, checking() as stage:
        stage.checker.follow({"new": backend(served.url)})
        assert stage.up(served) is None
        await eventually(lambda: stage.up(served) is True)
        assert stage.written(served) == 1.0
        patient.says = ILL
        await eventually(lambda: stage.up(served) is False)
        assert stage.written(served) == 2.0
        assert stage.checker.checked[Address("new", served.url)].reason == "status 500"
        patient.says = WELL
        await eventually(lambda: stage.up(served) is True)
        assert stage.written(served) == 1.0
    assert [record.getMessage() for record in caplog.records if record.name == "gateway"] == [
        f"backend new: {served.url} is down: status 500",
        f"backend new: {served.url} is up again",
    ]


async def test_no_check_begins_before_the_last_one_has_ended() -> None:
    patient = Patient()
    patient.says = None
    slow = HealthCheck(path="/", every=0.1, timeout=0.25)
    async with app(patient) as served, checking() as stage:
        stage.checker.follow({"new": backend(served.url, health=slow)})
        await eventually(lambda: patient.checks > 3)
    assert patient.most == 1


async def test_checks_come_as_often_as_wanted_and_not_in_step() -> None:
    patient = Patient()
    async with app(patient) as served, checking() as stage:
        stage.checker.follow({"new": backend(served.url)})
        await eventually(lambda: patient.checks > 10)
    gaps = [round(after - before, 4) for before, after in zip(patient.at, patient.at[1:], strict=False)]
    assert sum(gaps) / len(gaps) > 0.085
    assert len(set(gaps)) > 3


async def test_only_what_is_in_the_file_is_checked() -> None:
    one, two = Patient(), Patient()
    async with app(one) as first, app(two) as second, checking() as stage:
        stage.checker.follow({"new": backend(first.url, second.url), "old": backend(second.url, health=None)})
        assert set(stage.checker.checked) == {Address("new", first.url), Address("new", second.url)}
        two.says = ILL
        await eventually(lambda: stage.written(second) == 2.0)
        stage.checker.follow({"new": backend(first.url)})
        assert stage.written(second) == 0.0, "who is checked no more is not down"
        await asyncio.sleep(0.05)
        checks = two.checks
        await eventually(lambda: one.checks > 8)
        assert two.checks == checks


async def test_a_change_of_something_else_does_not_begin_anew() -> None:
    patient = Patient()
    async with app(patient) as served, checking() as stage:
        stage.checker.follow({"new": backend(served.url)})
        await eventually(lambda: stage.up(served) is True)
        stage.checker.follow({"new": backend(served.url, queue=3)})
        assert stage.up(served) is True
        stage.checker.follow({"new": backend(served.url, health=CHECK.model_copy(update={"path": "/other"}))})
        assert stage.up(served) is None
        await eventually(lambda: stage.up(served) is True)
        assert b"/other" in served.peers[-1].heard


async def test_a_fault_of_the_checker_is_not_the_apps(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = Patient()
    patient.says = ILL
    async with app(patient) as served, checking() as stage:
        stage.checker.follow({"new": backend(served.url)})
        await eventually(lambda: stage.up(served) is False)

        def broken(*_: object) -> None:
            raise RuntimeError("no threads left")

        monkeypatch.setattr(checker_module, "_probe", broken)
        stage.checker.follow({"new": backend(served.url, health=CHECK.model_copy(update={"timeout": 0.2}))})
        await eventually(lambda: "it cannot be checked" in caplog.text)
        await asyncio.sleep(0.3)
        assert stage.up(served) is None
        assert stage.written(served) == 0.0
        assert caplog.text.count("no threads left") == 1
        monkeypatch.undo()
        await eventually(lambda: stage.up(served) is False)


async def test_a_file_of_certificates_that_is_gone_is_not_the_apps_fault() -> None:
    with_tls = BackendConfig(url="https://127.0.0.1:9", health=CHECK, tls=Tls(ca="/nowhere/ca.pem"))
    async with checking() as stage:
        stage.checker.follow({"new": with_tls})
        checked = stage.checker.checked[Address("new", "https://127.0.0.1:9")]
        await eventually(lambda: "cannot be checked" in checked.reason)
        assert checked.up is None
