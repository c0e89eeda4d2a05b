"""`gateway status` of a running gateway."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.behaviour.probe import config, get, project, replace, text
from tests.behaviour.process import GatewayProcess, environment, eventually

COMMAND = (sys.executable, "-m", "gateway", "status")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("status")
    with GatewayProcess(project(folder, "{legacy: 75, new: 25}"), workers=2) as gateway:
        for _ in range(20):
            get(gateway.url + "/books")
        yield gateway


def status(gateway: GatewayProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in the folder of the file, where it finds the gateway by itself."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=gateway.routes.parent,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_it_finds_the_gateway_and_shows_what_it_does(gateway: GatewayProcess) -> None:
    done = status(gateway)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("version 1 (")
    assert lines[0].endswith("on 2 of 2 workers")
    legacy = next(line.split() for line in lines if line.startswith("/books") and " legacy " in line)
    assert legacy[:4] == ["/books", "legacy", "75", "%"]
    assert 0 < int(legacy[-1]) <= 20


def test_as_json_it_is_what_the_api_says(gateway: GatewayProcess) -> None:
    told = json.loads(status(gateway, "--json", "--admin", gateway.admin).stdout)
    assert told.keys() == gateway.ask("/api/v1/status").json().keys()
    assert sum(backend["requests"] for backend in told["backends"]) == 20


def test_a_refused_file_is_shown_and_is_not_well(gateway: GatewayProcess) -> None:
    good = gateway.routes.read_text()
    gateway.routes.write_text(text("lagacy"))
    try:
        eventually(lambda: config(gateway)["state"] == "rejected")
        done = status(gateway)
        assert done.returncode == 1
        assert "routes.yaml:8:9: unknown backend 'lagacy'; did you mean 'legacy'?" in done.stdout
    finally:
        replace(gateway.routes, good)
        eventually(lambda: config(gateway)["state"] == "live")


def test_a_file_that_is_missing_is_shown_and_is_not_well(gateway: GatewayProcess) -> None:
    good = gateway.routes.read_text()
    gateway.routes.unlink()
    try:
        eventually(lambda: config(gateway)["state"] == "missing")
        done = status(gateway)
        assert done.returncode == 1
        assert "the file is missing, version 1 stays live:\nroutes.yaml: no such file\n" in done.stdout
    finally:
        replace(gateway.routes, good)
        eventually(lambda: config(gateway)["state"] == "live")


def test_watched_it_goes_on_until_ctrl_c(gateway: GatewayProcess) -> None:
    command = [*COMMAND, "--watch", "--json", "--admin", gateway.admin]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        try:
            seen = [json.loads(process.stdout.readline())["planned"] for _ in range(2)]
        finally:
            process.send_signal(signal.SIGINT)
        assert seen == [2, 2]
        assert process.wait(10) == 0


def test_on_a_terminal_the_watch_keeps_to_one_screen_and_leaves_it_clean(gateway: GatewayProcess) -> None:
    ours, theirs = pty.openpty()
    env = environment({"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"})
    process = subprocess.Popen([*COMMAND, "--watch", "--admin", gateway.admin], stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    try:
        shown = _read_until(ours, "REQUESTS")
        assert "\x1b[?1049h" in shown
        process.send_signal(signal.SIGINT)
        assert "\x1b[?1049l" in _read_until(ours, "\x1b[?1049l")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(terminal: int, wanted: str) -> str:
    text, until = "", time.monotonic() + 10
    while wanted not in text:
        assert time.monotonic() < until, text
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 1 << 16).decode(errors="replace")
    return text
