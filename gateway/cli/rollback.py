"""`gateway rollback`: undo."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.change.change import RollBack
from gateway.cli.carry_out import carry_out
from gateway.cli.change_options import How, changing
from gateway.cli.completion import offered_routes


@changing
def rollback(
    route: Annotated[
        str | None,
        typer.Argument(
            metavar="ROUTE",
            help="Send this route back to the default.",
            show_default=False,
            autocompletion=offered_routes,
        ),
    ] = None,
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="VERSION", min=1, help="Bring back this version.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Send every route back to the default.")] = False,
    *,
    how: How,
) -> None:
    """Undo the last change, whoever made it and however.

    Again: the one before it, and so on. A file that is bad, gone, or not live yet goes back to what is live.
    """
    if (route is not None) + (to is not None) + everything > 1:
        raise typer.BadParameter("give a route, or --to, or --all: one of them")
    carry_out(RollBack(route, to, everything), how)
