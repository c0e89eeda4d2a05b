"""The options that the changing commands have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from os import environ
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Final

import typer

from gateway.cli.completion import offered_routes
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption
from gateway.cli.state import StateFolder

RouteName = Annotated[
    str,
    typer.Argument(
        metavar="ROUTE",
        help="Its name, or such as 'GET /books/{id}', or a path that only one route has.",
        show_default=False,
        autocompletion=offered_routes,
    ),
]
Reason = Annotated[
    str, typer.Option("--reason", "-m", metavar="TEXT", help="Why, for the history.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change and who would move; change nothing.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until every worker serves it.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.0, help="How long to wait until every worker serves it.")
]
AdminUrl = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="URL",
        envvar="GATEWAY_ADMIN",
        help="Act through the admin listener there, not on the file; $GATEWAY_ADMIN_TOKEN is its token.",
        show_default=False,
    ),
]

# Seconds. A reload takes some 30 milliseconds, and a worker that is busy some seconds.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class How:
    """The options of one command."""

    routes: Path
    state: Path | None
    admin: str | None
    reason: str
    dry_run: bool
    wait: bool
    timeout: float
    as_json: bool

    @property
    def where(self) -> str:
        """The options that another command needs to find the same file or gateway, as one would type them.

        What the environment says is not repeated: the next command is typed in the same one.
        """
        if self.admin is not None:
            return _repeated("--admin", self.admin, environ.get("GATEWAY_ADMIN"))
        routes = _repeated("--routes", str(self.routes), environ.get("GATEWAY_ROUTES", str(DEFAULT_FILE)))
        return routes + _repeated("--state", str(self.state or ""), environ.get("GATEWAY_STATE", ""))


def _how(
    reason: Reason = "",
    dry_run: DryRun = False,
    no_wait: NoWait = False,
    timeout: Timeout = PATIENCE,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: AdminUrl = None,
    as_json: AsJson = False,
) -> How:
    return How(routes, state, admin, reason, dry_run, not no_wait, timeout, as_json)


_SHARED: Final = inspect.signature(_how, eval_str=True).parameters


def changing(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` as typer reads it: with the options that all changes have in the place of its argument ``how``."""
    own = inspect.signature(command, eval_str=True).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        how = _how(**{name: given.pop(name) for name in _SHARED})
        command(**given, how=how)

    parameters = [*(own[name] for name in own if name != "how"), *_SHARED.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _repeated(option: str, value: str, known: str | None) -> str:
    return "" if value == known else f" {option} {quote(value)}"
