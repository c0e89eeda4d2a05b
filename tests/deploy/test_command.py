"""The command beside the systemd units, without sudo and in other folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.behaviour.probe import project
from tests.deploy.test_units import UNITS, read

SUDO = """\
#!/bin/sh
[ "$1 $2" = "-u gateway" ] && shift 2 && SUDO_USER=mia exec "$@"
"""


@pytest.fixture
def command(tmp_path: Path) -> Path:
    for name in ("bin", "etc", "state", "elsewhere"):
        (tmp_path / name).mkdir()
    project(tmp_path / "etc")
    sudo = tmp_path / "bin" / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    text = (UNITS / "command.sh").read_text()
    for there, here in (
        ("/etc/gateway", tmp_path / "etc"),
        ("/var/lib/gateway", tmp_path / "state"),
        ("/opt/gateway/venv/bin", Path(sys.executable).parent),
    ):
        assert there in text
        text = text.replace(there, str(here))
    command = tmp_path / "bin" / "command"
    command.write_text(text)
    command.chmod(0o755)
    return command


def test_it_is_about_the_files_of_the_service() -> None:
    text = (UNITS / "command.sh").read_text()
    service = read("gateway.service")["Service"]
    environment = (UNITS / "gateway.service").read_text()
    for name in ("GATEWAY_ROUTES", "GATEWAY_STATE"):
        [place] = [line.split("=", 2)[2] for line in environment.splitlines() if line.startswith(f"Environment={name}")]
        assert f'{name}="${{{name}:-{place}}}"' in text
    assert f"-u {service['User']} " in text
    assert service["ExecStart"].split()[0] in text


def test_it_works_from_any_folder_and_the_history_names_the_person(command: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        return subprocess.run(
            [command, *arguments],
            cwd=tmp_path / "elsewhere",
            env={**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout

    assert "is good" in run("check", "--no-import")
    run("move", "/books", "new")
    [note] = (tmp_path / "state" / "announced").iterdir()
    assert json.loads(note.read_bytes())["user"] == "mia"
