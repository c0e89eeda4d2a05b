"""The access log of a running gateway: whole, in one place, and nowhere else."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.behaviour.probe import InBackground, get, metric, project
from tests.behaviour.process import ROOT, GatewayProcess, command, environment, eventually


def lines(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths if path.exists() for line in path.read_text().splitlines()]


def ask(url: str, times: int) -> None:
    """On a connection each, so that every worker gets some."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: get(url + "/books"), range(times)))


def test_all_workers_write_whole_lines_to_one_file_and_follow_when_it_is_moved(tmp_path: Path) -> None:
    path, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    flags = ("--access-log", str(path), "--access-log-format", "json")
    with GatewayProcess(project(tmp_path, "new"), *flags, workers=2, cwd=tmp_path) as gateway:
        ask(gateway.url, 40)
        eventually(lambda: len(lines(path)) == 40)
        path.rename(rotated)
        ask(gateway.url, 20)
        eventually(lambda: len(lines(path)) == 20)
        assert len(lines(rotated)) == 40
        written = lines(path, rotated)
        assert {(line["route"], line["backend"], line["why"]) for line in written} == {("/books", "new", "route")}
        assert len({line["request_id"] for line in written}) == 60
        # The ids of the two workers begin differently.
        assert len({line["request_id"][:16] for line in written}) == 2
        assert metric(gateway, "gateway_access_log_dropped_total") == 0


def test_what_runs_at_the_end_is_still_logged(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with GatewayProcess(project(tmp_path), "--access-log", str(path), cwd=tmp_path) as gateway:
        slow = InBackground(gateway.url + "/slow?0.3")
        eventually(lambda: metric(gateway, "gateway_requests_in_flight") == 1)
        gateway.signal(signal.SIGTERM)
        assert slow.response().status_code == 200
        assert gateway.wait() == 0
    [line] = path.read_text().splitlines()
    assert line.startswith("127.0.0.1 - - [")
    assert '"GET /slow HTTP/1.1" 200 ' in line
    assert ' route="default" backend=legacy why=default ' in line
    assert float(line.rpartition(" seconds=")[2].split()[0]) >= 0.3


def test_standard_output_gets_lines_and_what_an_app_prints_does_not_get_among_them(tmp_path: Path) -> None:
    routes = project(tmp_path)
    (tmp_path / "probe.py").write_text(
        (tmp_path / "probe.py").read_text() + "\nprint('printed by an app', flush=True)\n"
    )
    with GatewayProcess(routes, "--access-log", "-", "--access-log-format", "json", cwd=tmp_path) as gateway:
        get(gateway.url + "/books")
        stdout = gateway._process.stdout
        assert stdout is not None
        assert select.select([stdout], [], [], 5)[0]
        got = json.loads(os.read(stdout.fileno(), 65536))
        assert (got["path"], got["status"]) == ("/books", 200)
        assert "printed by an app" in gateway.log()


def test_a_full_disk_costs_lines_and_no_request(tmp_path: Path) -> None:
    with GatewayProcess(project(tmp_path), "--access-log", "/dev/full", cwd=tmp_path) as gateway:
        ask(gateway.url, 10)
        eventually(lambda: metric(gateway, 'gateway_access_log_dropped_total{reason="write_failed"}') == 10)
        assert gateway.log().count("the access log cannot be written: [Errno 28]") == 1


def test_without_the_flag_nothing_is_logged(tmp_path: Path) -> None:
    with GatewayProcess(project(tmp_path), cwd=tmp_path) as gateway:
        get(gateway.url + "/books")
        assert "gateway_access_log_dropped_total{" not in gateway.ask("/metrics").text


def test_a_log_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    routes = project(tmp_path)
    begun = time.monotonic()
    path = tmp_path / "no" / "folder" / "access.log"
    ended = subprocess.run(
        command(str(routes), "--port", "0", "--admin", "off", "--access-log", str(path)),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1] == f"--access-log: {path} cannot be written: No such file or directory"
    assert time.monotonic() - begun < 10
