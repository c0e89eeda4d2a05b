"""The systemd units, as far as they can be tried without systemd running."""

from __future__ import annotations

import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from gateway.control.options import GRACE, LAST_CALL

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
NAMES = ("gateway.service", "gateway.socket")

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")


def read(name: str) -> RawConfigParser:
    unit = RawConfigParser(strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNITS / name)
    return unit


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, with a program that is there."""
    program = tmp_path / "gateway"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in NAMES:
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/gateway/venv/bin/gateway", str(program)))
    return tmp_path


@needs_systemd
def test_systemd_finds_nothing_wrong_with_them(installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(installed / name) for name in NAMES)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    # It reads the machine's own units, too: what it says of those is not about ours.
    ours = [line for line in done.stderr.splitlines() if "gateway" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
def test_it_may_do_little(installed: Path) -> None:
    """From 0, nothing, to 10, everything; a service without any setting has 9.6."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(installed / "gateway.service")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Overall exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_signals_and_times_are_those_of_the_gateway() -> None:
    service = read("gateway.service")["Service"]
    assert service["Type"] == "notify"
    assert service["NotifyAccess"] == "main"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    # Its workers are the control process' to drain.
    assert service["KillMode"] == "mixed"
    default_drain = 25
    assert int(service["TimeoutStopSec"]) > default_drain + LAST_CALL + GRACE
    # A file that is bad is not tried again.
    assert service["RestartPreventExitStatus"] == "2"
    assert service["StateDirectory"] == "gateway"
    assert "--host" not in service["ExecStart"], "it serves on the socket that it is given"


def test_the_socket_is_the_services() -> None:
    assert read("gateway.socket")["Socket"]["FileDescriptorName"] != "admin"
    assert "gateway.socket" in read("gateway.service")["Unit"]["Requires"]
