"""The state folder, as the commands name it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
