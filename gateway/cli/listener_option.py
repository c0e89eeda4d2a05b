"""The admin listener, as the commands that ask it name it."""

from __future__ import annotations

from typing import Annotated

import typer

ListenerUrl = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="URL",
        envvar="GATEWAY_ADMIN",
        help="Ask the admin listener there; $GATEWAY_ADMIN_TOKEN is its token.",
        show_default=False,
    ),
]
