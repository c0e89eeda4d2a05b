"""`gateway move`: all of a route to one backend."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.change.change import Move
from gateway.cli.carry_out import carry_out
from gateway.cli.change_options import How, RouteName, changing
from gateway.cli.completion import offered_backends


@changing
def move(
    route: RouteName,
    backend: Annotated[
        str,
        typer.Argument(metavar="BACKEND", help="Such as new.", show_default=False, autocompletion=offered_backends),
    ],
    *,
    how: How,
) -> None:
    """Send all of a route to one backend.

    Changes the one value in the routes file, and waits until every worker serves it.
    """
    carry_out(Move(route, backend), how)
