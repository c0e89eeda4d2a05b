"""`gateway coverage`: how far the migration is, and what to move next."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.backends.search_path import look_beside
from gateway.cli.columns import print_columns
from gateway.cli.exit_code import BAD_REQUEST, NOT_DONE
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, load_or_exit, print_json
from gateway.cli.sides import AppProblem, LegacyApp, LegacyUrl, NewApp, NewUrl, Sides, side, sides
from gateway.cli.state import StateFolder
from gateway.history.folder import make_private, put, state_folder
from gateway.migrate.coverage import Coverage, cover
from gateway.migrate.inventory.compare import compare
from gateway.migrate.next_move import next_moves, perhaps_unused
from gateway.migrate.report import TITLES, as_data, cells, headline, honesty, step_line
from gateway.migrate.report_html import html
from gateway.migrate.report_markdown import markdown
from gateway.migrate.saved import NAME, to_text
from gateway.migrate.target import Target, targets
from gateway.migrate.traffic import Traffic

Format = Literal["table", "json", "markdown", "html"]


def coverage(
    routes: RoutesFile = None,
    legacy: LegacyApp = None,
    new: NewApp = None,
    legacy_url: LegacyUrl = None,
    new_url: NewUrl = None,
    admin: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="GATEWAY_ADMIN",
            help="Requests as counted by the gateway there; $GATEWAY_ADMIN_TOKEN is its token.",
            show_default=False,
        ),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Requests as counted by the Prometheus server there.", show_default=False),
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="For how long back Prometheus counts: 7d, 12h.")] = "7d",
    output: Annotated[Format, typer.Option("--format", "-f", help="How to print it.", show_default="table")] = "table",
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Exit with 1 if less than this has moved.", show_default=False
        ),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the endpoints for the dashboard, too.")] = False,
    routes_option: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print how far the migration is, and what to move next.

    Says of every endpoint of the old app where it is served. The apps are those of the routes file, unless they are
    named. Where the gateway runs on this machine, its counts are used; --admin and --prometheus name others.
    """
    path = routes or routes_option
    as_json = as_json or output == "json"
    loaded = load_or_exit(path, as_json)
    look_beside(path)
    try:
        both = sides(loaded.config, side("legacy", legacy, legacy_url), side("new", new, new_url))
        found, fresh_name = _targets(both), both.new_name or "new"
    except AppProblem as problem:
        fail("bad-app", str(problem), BAD_REQUEST, as_json)
    traffic = _traffic(admin, prometheus, since, path, state, as_json)
    covered = cover(found, loaded.config, both.legacy_name, traffic)
    if save:
        _save(state_folder(path, state), to_text(time.time(), both.legacy_name, fresh_name, found), as_json)
    if as_json:
        print_json(as_data(covered, fresh_name))
    elif output == "table":
        _print(covered, fresh_name)
    else:
        typer.echo((markdown if output == "markdown" else html)(covered, fresh_name), nl=False)
    if fail_under is not None and covered.moved < fail_under:
        typer.echo(f"{covered.moved:.1f} % has moved, less than {fail_under:g} %", err=True)
        raise typer.Exit(NOT_DONE)


def _targets(sides: Sides) -> tuple[Target, ...]:
    """What is to be moved. Raises AppProblem."""
    if sides.legacy is None:
        name = sides.legacy_name
        raise AppProblem(f"the file names no app for '{name}' that can be looked into; give --legacy module:app")
    inventory = sides.legacy.inventory()
    return targets(compare(inventory, sides.new.inventory() if sides.new is not None else None))


def _traffic(
    admin: str | None, prometheus: str | None, since: str, path: Path, state: Path | None, as_json: bool
) -> Traffic | None:
    # Here, not above: httpx takes a tenth of a second that --help need not wait for.
    from gateway.cli.listener import NotTold, listener_url
    from gateway.cli.traffic_source import NoTraffic, of_gateway, of_prometheus

    try:
        if prometheus is not None:
            return of_prometheus(prometheus, since)
        if admin is not None:
            return of_gateway(admin)
    except ValueError as error:
        fail("bad-time", f"--since: {error}", BAD_REQUEST, as_json)
    except NoTraffic as error:
        fail("no-traffic", str(error), NOT_DONE, as_json)
    try:
        return of_gateway(listener_url(path, state))
    except (NotTold, NoTraffic):
        # Nobody has asked for numbers: without them it is a report of what the file says.
        return None


def _save(folder: Path, text: str, as_json: bool) -> None:
    try:
        make_private(folder)
        put(folder / NAME, text.encode())
    except OSError as error:
        fail("not-written", f"{folder / NAME} cannot be written: {error.strerror or error}", NOT_DONE, as_json)


def _print(covered: Coverage, new: str) -> None:
    for line in headline(covered):
        print(line)
    print()
    print_columns(TITLES, [cells(row) for row in (*covered.rows, *covered.only_new)], numbers=("REQUESTS",))
    steps = next_moves(covered, new)
    if steps:
        print("\nwhat to move next:")
        for number, step in enumerate(steps, 1):
            print(f"  {number}. {step_line(step)}")
            print(f"     {step.command}")
    unused = perhaps_unused(covered)
    if unused:
        print(f"\nperhaps nobody uses these: {', '.join(row.target.label for row in unused)}")
    note = honesty(covered)
    if note is not None:
        print(f"\n{note}")
