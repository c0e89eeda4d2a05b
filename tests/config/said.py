"""What the loader says about a text, for tests that are about its messages."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from gateway.config.loader import load_text
from gateway.config.problem import ConfigError

BACKENDS = """\
version: 1
backends:
  legacy: {app: "legacy_flask:create_app()"}
  new: {app: "new_fastapi:app"}
default: legacy
"""
# The line on which the first of the lines given to `routes` stands.
FIRST = BACKENDS.count("\n") + 2


def said(text: str | bytes, env: Mapping[str, str] | None = None) -> list[str]:
    """Every problem as it is printed; none for a good file."""
    try:
        load_text(text if isinstance(text, bytes) else dedent(text), "routes.yaml", env or {})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def routes(lines: str) -> str:
    """A file with two backends and these routes."""
    body = dedent(lines).strip("\n")
    return BACKENDS + "routes:\n" + "".join(f"  {line}\n" for line in body.split("\n"))


def said_of(lines: str) -> list[str]:
    """Problems of a file with these routes, with places as they are in ``lines``: ``2:5: message``."""
    shown: list[str] = []
    for problem in said(routes(lines)):
        source, line, column, message = problem.split(":", 3)
        assert source == "routes.yaml"
        shown.append(f"{int(line) - FIRST + 1}:{int(column) - 2}:{message}")
    return shown
