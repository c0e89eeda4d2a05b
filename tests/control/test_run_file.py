from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.control.run_file import Run, RunFile, running

HERE = Run(os.getpid(), "http://127.0.0.1:8001", "/srv/shop/routes.yaml")


def taken(folder: Path) -> RunFile:
    held = RunFile.take(folder)
    assert held is not None
    return held


def test_a_gateway_is_found_while_it_runs(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert running(folder) is None
    held = taken(folder)
    assert running(folder) is None, "it has not said yet where"
    held.write(HERE)
    assert running(folder) == HERE
    held.release()
    assert running(folder) is None
    assert not (folder / "run.json").exists()


def test_only_its_user_may_know(tmp_path: Path) -> None:
    held = taken(tmp_path / "state")
    held.write(HERE)
    for path in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held.release()


def test_a_folder_has_one_gateway(tmp_path: Path) -> None:
    held = taken(tmp_path)
    assert RunFile.take(tmp_path) is None
    held.release()
    taken(tmp_path).release()


def test_a_killed_gateway_is_gone(tmp_path: Path) -> None:
    """Also where another process has its number since."""
    script = (
        "import os, sys; from pathlib import Path; from gateway.control.run_file import *\n"
        "held = RunFile.take(Path(sys.argv[1])); held.write(Run(os.getpid(), None, 'x')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=20)
    assert (tmp_path / "run.json").exists()
    assert running(tmp_path) is None
    taken(tmp_path).release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x", "admin": null, "routes": ""}', b"{}"])
def test_a_broken_file_is_none(tmp_path: Path, content: bytes) -> None:
    held = taken(tmp_path)
    (tmp_path / "run.json").write_bytes(content)
    assert running(tmp_path) is None
    held.release()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        RunFile.take(tmp_path / "file" / "state")
    assert running(tmp_path / "file" / "state") is None
