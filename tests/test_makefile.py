"""Which Python .venv is made with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder that programs are looked for in, beside those that every system has."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def python(at: Path, version: str, fits: bool = True) -> None:
    """A program that tells its version, and of what it is asked to run only whether it fits."""
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo "Python {version}" && exit\nexit {0 if fits else 127}\n')
    at.chmod(0o755)


def make(programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Not what `make test` has told its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "PYTHON"}
    return subprocess.run(
        ["make", "--file", str(MAKEFILE), "--eval", "chosen: ; @echo $(PYTHON)", *arguments],
        cwd=programs.parent,
        env={**env, "PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_name_is_not_enough(programs: Path) -> None:
    python(programs / "python3.11", "3.11.7", fits=False)
    python(programs / "python3.12", "3.12.1")
    python(programs / "python3.13", "3.13.0")
    assert make(programs, "chosen").stdout == "python3.12\n"


def test_what_is_there_is_kept(programs: Path) -> None:
    python(programs / "python3.11", "3.11.7")
    python(programs.parent / ".venv" / "bin" / "python", "3.13.0")
    assert make(programs, "chosen").stdout == ".venv/bin/python\n"


def test_none_that_fits_is_said_so(programs: Path) -> None:
    (programs.parent / "pyproject.toml").touch()
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        python(programs / name, "3.10.13", fits=False)
    done = make(programs, ".venv/.ready")
    assert done.returncode == 2
    assert done.stdout == "Python 3.11 or newer, with venv, is needed; say which with PYTHON=...\n"
    assert not (programs.parent / ".venv").exists()


@pytest.mark.parametrize(("asked", "is_made_anew"), [([], False), (["PYTHON=same"], False), (["PYTHON=other"], True)])
def test_who_asks_for_another_gets_it(programs: Path, asked: list[str], is_made_anew: bool) -> None:
    (programs.parent / "pyproject.toml").touch()
    python(programs.parent / ".venv" / "bin" / "python", "3.11.7")
    (programs.parent / ".venv" / ".ready").touch()
    python(programs / "same", "3.11.7")
    python(programs / "other", "3.13.0")
    done = make(programs, "--question", ".venv/.ready", *asked)
    assert done.returncode == int(is_made_anew), done.stderr
