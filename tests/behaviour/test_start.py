"""How `gateway run` starts, and how it does not."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.behaviour.probe import project, text
from tests.behaviour.process import ROOT, command, environment


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    return project(tmp_path)


def run(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=20, check=False
    )


def test_the_start_tells_where_it_serves_and_the_table(routes: Path) -> None:
    process = subprocess.Popen(
        command("routes.yaml", "--port", "0", "--admin", "127.0.0.1:0"),
        cwd=routes.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().rstrip() for _ in range(7)]
        url, admin = lines[0].split()[1], lines[1].split()[1]
        assert lines[0] == f"serving  {url}"
        assert lines[1] == f"admin    {admin}"
        assert lines[4].split() == ["ROUTE", "TO", "STICKY", "GROUP", "LINE"]
        assert lines[5].split() == ["/books", "legacy", "-", "-", "7"]
        assert lines[6] == "everything else goes to legacy"
        # What it tells is true by then.
        assert httpx.get(url + "/books").json()["app"] == "legacy"
        assert httpx.get(admin + "/readyz").status_code == 200
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_the_admin_listener_can_be_left_out(routes: Path) -> None:
    process = subprocess.Popen(
        command(str(routes), "--port", "0", "--admin", "off", "--json"), env=environment(), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["admin"] is None
        assert httpx.get(ready["url"] + "/books").status_code == 200
    finally:
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout is not None
        process.stdout.close()


def test_a_port_in_use_is_one_clear_line(routes: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(str(routes), "--port", str(port), "--admin", "off")
        assert result.returncode == 1
        assert result.stderr == f"port {port} on 127.0.0.1 is in use; choose another with --port\n"
        result = run(str(routes), "--port", "0", "--admin", f"127.0.0.1:{port}")
        assert result.returncode == 1
        assert result.stderr == f"port {port} on 127.0.0.1 is in use; choose another with --admin\n"


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    result = run("nothing.yaml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, "nothing.yaml: no such file\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "99999"], "--port"),
        (["--workers", "0"], "--workers"),
        (["--admin", "8001"], "--admin: '8001' is not HOST:PORT"),
        (["--admin", "0.0.0.0:8001"], "so it needs a token: set GATEWAY_ADMIN_TOKEN"),
        (["--prot", "1"], "--prot"),
    ],
)
def test_a_bad_flag_is_one_clear_line(routes: Path, arguments: list[str], told: str) -> None:
    result = run(str(routes), *arguments)
    assert result.returncode == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_a_bad_first_file_ends_the_start_with_every_error(routes: Path) -> None:
    routes.write_text(text("lagacy") + "  - path: /b//c\n    to: nwe\n    methods: GET\n")
    result = run(str(routes), "--port", "0", "--admin", "off")
    assert result.returncode == 2
    assert "routes.yaml:8:9: unknown backend 'lagacy'; did you mean 'legacy'?" in result.stderr
    assert "routes.yaml:10:9: unknown backend 'nwe'; did you mean 'new'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_app_that_cannot_be_imported_ends_the_start(routes: Path) -> None:
    routes.write_text(text("legacy").replace("probe:new", "prob:new"))
    result = run(str(routes), "--port", "0", "--admin", "off", "--workers", "2")
    assert result.returncode == 2
    assert result.stderr.count("routes.yaml:4:14:") == 1
    assert "Traceback" not in result.stderr


def test_an_app_that_ends_the_process_at_import_ends_the_start(routes: Path) -> None:
    (routes.parent / "probe.py").write_text("import os; os._exit(7)")
    result = run(str(routes), "--port", "0", "--admin", "off")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("ended with exit code 7 before it was ready")
