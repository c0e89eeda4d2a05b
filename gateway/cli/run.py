"""`gateway run`: serve what routes.yaml says."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, refuse
from gateway.cli.state import StateFolder
from gateway.config.problem import ConfigError
from gateway.control.access_log import AccessLogError
from gateway.control.listening import Address, ListenError

if TYPE_CHECKING:
    from gateway.control.run import Started

# The start shows the table, and not pages of it.
_MOST_ROUTES = 40


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def run(
    routes: RoutesFile = None,
    host: Annotated[str, typer.Option(help="Address or name to listen on; 0.0.0.0 or :: for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 lets the system choose.")] = 8000,
    admin: Annotated[
        str, typer.Option(metavar="HOST:PORT|off", help="Where health, metrics and the live table are served.")
    ] = "127.0.0.1:8001",
    admin_token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="GATEWAY_ADMIN_TOKEN_FILE",
            help="Tokens for the admin listener, beside $GATEWAY_ADMIN_TOKEN: lines of `change TOKEN` or `read TOKEN`.",
            show_envvar=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that serve requests.")] = 1,
    drain_timeout: Annotated[
        int, typer.Option(min=0, max=3600, help="Seconds that running requests have to finish at the end.")
    ] = 25,
    access_log: Annotated[
        str, typer.Option(metavar="PATH|-|off", help="A line for each request, to a file or to standard output.")
    ] = "off",
    access_log_format: Annotated[LogFormat, typer.Option(help="What the lines are.")] = LogFormat.TEXT,
    routes_option: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    as_json: AsJson = False,
) -> None:
    """Serve what the routes file says, and follow its changes.

    SIGTERM or Ctrl-C drains: running requests are finished, then it exits with 0. A second Ctrl-C ends at once.
    SIGHUP reads the file again; SIGUSR2 replaces the workers one by one, for new code.
    """
    if sys.platform == "win32":
        _fail("`gateway run` needs a Unix system; on Windows, serve gateway.asgi:app with uvicorn", 2)
    # Here, not above: FastAPI and uvicorn take half a second that `gateway check` need not wait for.
    from gateway.control.admin.tokens import TokenError, take_tokens
    from gateway.control.run import Settings
    from gateway.control.run import run as serve
    from gateway.control.supervisor import StartError

    try:
        tokens = take_tokens(os.environ, admin_token_file)
    except TokenError as error:
        _fail(str(error), 2)
    settings = Settings(
        routes=routes or routes_option,
        address=Address(host, port),
        admin=_admin(admin, with_tokens=bool(tokens)),
        workers=workers,
        drain_timeout=drain_timeout,
        tokens=tokens,
        state=state,
        access_log=access_log,
        access_log_format="json" if access_log_format is LogFormat.JSON else "text",
    )
    try:
        code = serve(settings, _tell_json if as_json else _tell)
    except ConfigError as error:
        refuse(error.problems, as_json)
    except (ListenError, AccessLogError) as error:
        _fail(str(error), 1)
    except StartError as error:
        if error.failure.problems:
            refuse(error.failure.problems, as_json)
        _fail(error.failure.message, 1)
    raise typer.Exit(code)


def _admin(text: str, *, with_tokens: bool) -> Address | None:
    if text == "off":
        return None
    try:
        address = Address.parse(text)
    except ValueError as error:
        _fail(f"--admin: {error}, and not `off` either", 2)
    if not address.loopback and not with_tokens:
        _fail(
            f"--admin: {address.host} can be reached by others, so it needs a token: set GATEWAY_ADMIN_TOKEN, or use "
            "--admin-token-file; or listen on 127.0.0.1, [::1] or localhost",
            2,
        )
    return address


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _tell(started: Started) -> None:
    # Here, not above: who asks for JSON need not wait for what draws tables.
    from gateway.cli.routes import print_table

    for address in started.addresses:
        print(f"serving  {address.url}")
    print(f"admin    {started.admin.url if started.admin is not None else 'off'}")
    print(f"routes   {started.loaded.source}, followed for changes\n")
    print_table(started.loaded, most=_MOST_ROUTES)
    sys.stdout.flush()


def _tell_json(started: Started) -> None:
    ready = {
        "event": "ready",
        "url": started.addresses[0].url,
        "urls": [address.url for address in started.addresses],
        "admin": None if started.admin is None else started.admin.url,
        "pid": os.getpid(),
        "workers": started.workers,
        "version": started.version,
        "digest": started.loaded.digest,
    }
    print(json.dumps(ready), flush=True)
