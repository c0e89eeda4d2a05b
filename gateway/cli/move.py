"""`gateway move`: all of a route to one backend."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.change.change import Move
from gateway.cli.carry_out import carry_out
from gateway.cli.change_options import (
    PATIENCE,
    AdminUrl,
    DryRun,
    How,
    NoWait,
    Reason,
    RouteName,
    Timeout,
)
from gateway.cli.completion import offered_backends
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption
from gateway.cli.state import StateFolder


def move(
    route: RouteName,
    backend: Annotated[
        str,
        typer.Argument(metavar="BACKEND", help="Such as new.", show_default=False, autocompletion=offered_backends),
    ],
    reason: Reason = "",
    dry_run: DryRun = False,
    no_wait: NoWait = False,
    timeout: Timeout = PATIENCE,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: AdminUrl = None,
    as_json: AsJson = False,
) -> None:
    """Send all of a route to one backend.

    Changes the one value in the routes file, and waits until every worker serves it.
    """
    how = How(routes, state, admin, reason, dry_run, not no_wait, timeout, as_json)
    carry_out(Move(route, backend), how)
