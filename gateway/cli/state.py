"""The state folder, as the commands name it, and the versions in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.exit_code import NOT_DONE
from gateway.cli.outcome import fail
from gateway.cli.routes_file import refuse
from gateway.config.problem import Problem
from gateway.config.source import NO_FILE
from gateway.history.entry import Entry
from gateway.history.history import History

# What to do where it may not be looked into.
ELSEWHERE: Final = "run this as the gateway's user, or give --admin URL"

StateFolder = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="GATEWAY_STATE",
        help="Where the history is kept; by default .gateway/ beside the file.",
        show_default=False,
    ),
]


def versions(history: History, routes: Path, as_json: bool) -> list[Entry]:
    """Those that were live, oldest first.

    Ends the command where there are none because they may not be read, or because there is no such file: then it was
    asked in the wrong folder.
    """
    entries = history.entries()
    if not entries and history.problem:
        fail("unreadable", f"{history.problem}; {ELSEWHERE}", NOT_DONE, as_json)
    if not entries and not os.path.exists(routes):
        refuse([Problem(routes.name, 0, 0, NO_FILE)], as_json)
    return entries
