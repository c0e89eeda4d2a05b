"""A small project with two apps, and the gateway command run on it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROUTES = """\
version: 1
backends:
  legacy: {app: "oldshop:create_app()"}
  new: {app: "newshop:app"}
default: legacy
routes:
  - path: /books/{id}
    methods: [GET]
    to: new
  - path: /books/{id:int}
    methods: [POST]
    to: legacy
  - path: /books
    methods: [GET]
    to: {legacy: 90, new: 10}
    group: catalogue
  - path: /static/{file:path}
    name: files
    to: {legacy: 75, new: 25}
    sticky: ip
"""

OLDSHOP = """\
print("the old shop is loaded")


def create_app():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b""]

    return app
"""

NEWSHOP = """\
async def app(scope, receive, send):
    pass


number = 5


def broken():
    raise RuntimeError("no database")
"""


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def make(folder: Path, routes: str = ROUTES) -> Path:
    """Write the project; the path of its routes file."""
    (folder / "oldshop.py").write_text(OLDSHOP)
    (folder / "newshop.py").write_text(NEWSHOP)
    path = folder / "routes.yaml"
    path.write_text(routes, encoding="utf-8")
    return path


def gateway(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> Done:
    """Run the command as a user does, in a process of its own, with its output in a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        cwd=cwd,
        env={"PATH": "", "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
