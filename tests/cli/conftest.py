from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from tests.cli.project import Done, make

Invoke = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, as the current folder."""
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_ROUTES", raising=False)
    return tmp_path


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Runs a command in this process."""
    before = list(sys.path)

    def run(*arguments: str | Path, **env: str) -> Done:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="gateway", env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    yield run
    sys.path[:] = before
    for module in ("oldshop", "newshop"):
        sys.modules.pop(module, None)
