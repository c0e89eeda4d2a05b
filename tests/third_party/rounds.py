"""The same requests to an app itself and to it behind the gateway, and what may differ between the answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.behaviour.process import ROOT, environment
from tests.behaviour.remote_apps import serving

# What a server or a proxy says of itself, and when.
OWN = frozenset(("date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "via"))

Request = tuple[str, str, dict[str, Any]]


def importable(*places: Path) -> dict[str, str]:
    """An environment in which the apps of these folders can be imported, behind what is ours."""
    return environment({"PYTHONPATH": ":".join(map(str, (ROOT, *places)))})


def gateway(*arguments: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A `gateway` command."""
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=60)


def adopted(folder: Path, env: Mapping[str, str], legacy: str, new: str | None = None) -> Path:
    """The routes.yaml that `gateway init` writes, checked, and measured by `gateway coverage`."""
    sides = ["--legacy", legacy, *(["--new", new] if new else [])]
    written = gateway("init", *sides, "--output", "routes.yaml", cwd=folder, env=env)
    assert written.returncode == 0, written.stderr
    checked = gateway("check", "routes.yaml", cwd=folder, env=env)
    assert checked.returncode == 0, checked.stderr
    covered = gateway("coverage", *sides, "--routes", "routes.yaml", "--json", cwd=folder, env=env)
    assert covered.returncode == 0, covered.stderr
    assert json.loads(covered.stdout)
    linted = gateway("lint", *sides, "--routes", "routes.yaml", "--json", cwd=folder, env=env)
    assert linted.returncode in (0, 1), linted.stderr  # 1: there are findings
    json.loads(linted.stdout)
    return folder / "routes.yaml"


@contextmanager
def direct(folder: Path, app: str) -> Iterator[int]:
    """The app on gunicorn, without a gateway. It is imported from ``folder``."""
    with serving(folder, "gunicorn", app, "--bind", "fd://{fd}", "--threads", "8") as (port, _):
        yield port


def answer(client: httpx.Client, request: Request, host: str, same: Callable[[str], str]) -> tuple[object, ...]:
    """Status, fields and body of one answer; ``same`` takes out of the body what differs by nature."""
    method, path, more = request
    more = {**more, "headers": {"host": host, "user-agent": "round", **more.get("headers", {})}}
    response = client.request(method, path, **more)
    fields = sorted(
        (name, _field(name, same(value))) for name, value in response.headers.multi_items() if name not in OWN
    )
    try:
        body = same(response.content.decode())
    except UnicodeDecodeError:
        body = repr(response.content)
    return response.status_code, fields, body


def _field(name: str, value: str) -> str:
    # A set, which each process lists in an order of its own.
    return ", ".join(sorted(value.split(", "))) if name == "allow" else value


def without(*patterns: str) -> Callable[[str], str]:
    """Text in which these regular expressions are all alike."""
    joined = re.compile("|".join(patterns))
    return lambda text: joined.sub("*", text)
