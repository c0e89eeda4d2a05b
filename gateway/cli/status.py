"""`gateway status`: what the running gateway does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from gateway.cli.columns import columns, print_columns
from gateway.cli.exit_code import NOT_DONE
from gateway.cli.listener_option import ListenerUrl
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption, print_json
from gateway.cli.state import StateFolder
from gateway.cli.status_view import (
    BACKEND_TITLES,
    LIMIT_TITLES,
    NUMBERS,
    ROUTE_TITLES,
    backend_rows,
    heading,
    is_well,
    limit_rows,
    route_rows,
)

if TYPE_CHECKING:
    from gateway.cli.listener import Listener

# Seconds between two looks; the figures are by the second.
_PAUSE: Final = 1.0


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, every second, until Ctrl-C.")] = False,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: ListenerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print live requests, errors and latency by route and backend.

    Above them stands which version is live, on how many workers, and what is not well. Rates are of the last 10
    seconds; errors (5xx), latencies, the shares seen and what limits refused are of the last minute. Exits with 0 if
    the file is good and all workers serve what is live, with 1 if not or if there is no answer.
    """
    # Here, not above: httpx takes a tenth of a second that --help need not wait for.
    from gateway.cli.listener import Listener, NotTold, listener_url

    try:
        with Listener(admin or listener_url(routes, state)) as listener:
            if watch:
                _watch(listener, as_json)
                return
            told = listener.status()
    except NotTold as error:
        fail("not-told", str(error), NOT_DONE, as_json)
    if as_json:
        print_json(told)
    else:
        _print(told)
    if not is_well(told):
        raise typer.Exit(NOT_DONE)


def _watch(listener: Listener, as_json: bool) -> None:
    """Until Ctrl-C. Raises NotTold where there is no answer; on a terminal only if there is none to begin with."""
    told = listener.status()
    try:
        if sys.stdout.isatty() and not as_json:
            _watch_on_screen(listener, told)
        while True:
            if as_json:
                print(json.dumps(told, ensure_ascii=False), flush=True)
            else:
                _print(told)
                print(flush=True)
            time.sleep(_PAUSE)
            told = listener.status()
    except KeyboardInterrupt:
        return


def _watch_on_screen(listener: Listener, told: Mapping[str, Any]) -> NoReturn:
    from gateway.cli.listener import NotTold

    screen = Live(_screen(told), console=Console(), screen=True, auto_refresh=False)
    # Not `with`: a Ctrl-C while it begins would leave the terminal on the other screen, without a cursor.
    try:
        screen.start(refresh=True)
        while True:
            time.sleep(_PAUSE)
            try:
                screen.update(_screen(listener.status()), refresh=True)
            except NotTold as error:
                # The gateway may be restarting.
                screen.update(Text(str(error)), refresh=True)
    finally:
        screen.stop()


def _tables(told: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    yield ROUTE_TITLES, route_rows(told)
    yield BACKEND_TITLES, backend_rows(told)
    if limits := limit_rows(told):
        yield LIMIT_TITLES, limits


def _print(told: Mapping[str, Any]) -> None:
    for line in heading(told):
        print(line)
    for titles, rows in _tables(told):
        print()
        print_columns(titles, rows, numbers=NUMBERS)


def _screen(told: Mapping[str, Any]) -> Group:
    parts: list[RenderableType] = [Text(line) for line in heading(told)]
    for titles, rows in _tables(told):
        parts += (Text(), columns(titles, rows, numbers=NUMBERS))
    return Group(*parts)
