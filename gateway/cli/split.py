"""`gateway split`: a share of a route to another backend."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

import typer

from gateway.change.change import Split
from gateway.cli.carry_out import carry_out
from gateway.cli.change_options import How, RouteName, changing
from gateway.cli.completion import offered_shares

_SHARE: Final = re.compile(r"(?P<backend>[^=]+)=(?P<whole>[0-9]{1,3})(?:\.(?P<decimals>[0-9]{1,2}))?%?")


@changing
def split(
    route: RouteName,
    shares: Annotated[
        list[str],
        typer.Argument(
            metavar="BACKEND=PERCENT",
            help="Such as new=25; what is left goes to the default.",
            show_default=False,
            autocompletion=offered_shares,
        ),
    ],
    *,
    how: How,
) -> None:
    """Send a share of a route's users to another backend.

    The rest goes to the default. Raising a share moves more users and nobody back; lowering it moves some back and
    nobody new.
    """
    carry_out(Split(route, _weights(shares)), how)


def _weights(shares: Iterable[str]) -> dict[str, int]:
    """In hundredths of a percent."""
    weights: dict[str, int] = {}
    for share in shares:
        found = _SHARE.fullmatch(share)
        if found is None:
            message = f"'{share}' is not a backend and a percentage with up to two decimals, such as new=25"
            raise typer.BadParameter(message)
        backend = found["backend"].strip()
        if backend in weights:
            raise typer.BadParameter(f"'{backend}' is given twice")
        weights[backend] = int(found["whole"]) * 100 + int((found["decimals"] or "").ljust(2, "0"))
    return weights
