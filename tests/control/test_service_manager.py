from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.control.service_manager import ServiceManager


class Told:
    """The service manager's end."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)

    def messages(self) -> list[str]:
        messages = []
        try:
            while True:
                messages.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return messages


@pytest.fixture(params=["path", "abstract"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    told = Told(str(tmp_path / "notify") if request.param == "path" else f"@gateway-test-{os.getpid()}")
    with told.socket:
        yield told


def test_a_life_is_told(told: Told) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": told.address})
    manager.ready()
    with manager.reloading():
        first, second = told.messages()
        assert first == "READY=1"
        lines = second.split("\n")
        assert lines[0] == "RELOADING=1"
        assert lines[1].removeprefix("MONOTONIC_USEC=").isdecimal()
    assert told.messages() == ["READY=1"]
    with manager.reloading():
        manager.stopping()
    # What has begun to stop is not ready any more.
    assert told.messages()[1:] == ["STOPPING=1"]
    with manager.reloading():
        assert told.messages() == []


def test_a_reload_before_the_start_is_over_is_not_the_end_of_the_start(told: Told) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": told.address})
    with manager.reloading():
        pass
    assert told.messages() == []


async def test_the_status_is_told_when_it_changes_and_signs_of_life_in_time(told: Told) -> None:
    environ = {"NOTIFY_SOCKET": told.address, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    manager = ServiceManager.of(environ)
    # The workers must not speak for the service.
    assert environ == {"HOME": "/"}
    status = "version 1"
    attending = asyncio.create_task(manager.attend(lambda: status))
    await asyncio.sleep(0.05)
    status = "version 2"
    await asyncio.sleep(0.05)
    attending.cancel()
    messages = told.messages()
    assert messages[0] == "WATCHDOG=1\nSTATUS=version 1"
    assert messages.count("WATCHDOG=1\nSTATUS=version 2") == 1
    assert len(messages) >= 6
    assert set(messages[1:]) == {"WATCHDOG=1", "WATCHDOG=1\nSTATUS=version 2"}


async def test_a_watchdog_of_another_process_gets_no_signs_of_life(told: Told) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": told.address, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"})
    attending = asyncio.create_task(manager.attend(lambda: "serving"))
    await asyncio.sleep(0.05)
    attending.cancel()
    assert told.messages() == ["STATUS=serving"]


async def test_without_a_service_manager_nothing_is_done() -> None:
    manager = ServiceManager.of({})
    manager.ready()
    manager.stopping()
    await manager.attend(lambda: pytest.fail("nobody asked"))


def test_a_manager_that_is_gone_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ServiceManager.of({"NOTIFY_SOCKET": str(tmp_path / "nothing")}).ready()
    assert "the service manager cannot be told READY=1" in caplog.text
    caplog.clear()
    ServiceManager.of({"NOTIFY_SOCKET": "vsock:2:1234"}).ready()
    assert caplog.messages == ["NOTIFY_SOCKET is 'vsock:2:1234', which is not a Unix socket: nobody is notified"]
