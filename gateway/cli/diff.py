"""`gateway diff`: what is different between two versions, or between one and the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.change.described import described
from gateway.change.diff import unified
from gateway.change.found import find
from gateway.cli.change_options import AdminUrl
from gateway.cli.exit_code import BAD_REQUEST
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption, print_json, refuse
from gateway.cli.state import StateFolder, versions
from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from gateway.control.admin.masking import masked
from gateway.history.folder import state_folder
from gateway.history.history import History

_FILE = "file"

# The number of a version, or `file`.
_Side = int | None


def diff(
    old: Annotated[
        str | None, typer.Argument(metavar="A", help="A version, or `file` as it is now.", show_default=False)
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="B", help="The same; by default the file.", show_default=False)
    ] = None,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: AdminUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what is different from version A to version B.

    With neither: between the last two versions that were live. With A alone: from it to the file as it is now.
    """
    sides = None if old is None else (_side(old), _side(new or _FILE))
    data = _by_files(sides, routes, state, as_json) if admin is None else _by_admin(sides, admin, as_json)
    if as_json:
        print_json(data)
    elif data["diff"]:
        typer.echo(f"{data['changes']}\n{data['diff']}", nl=False)
    else:
        typer.echo("no difference")


def _side(text: str) -> _Side:
    if text == _FILE:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"'{text}' is not the number of a version, nor 'file'")
    return int(text)


def _by_admin(sides: tuple[_Side, _Side] | None, admin: str, as_json: bool) -> Any:
    from gateway.cli.by_admin import AdminApi

    with AdminApi(admin, as_json) as api:
        if sides is None:
            sides = _last_two([each["version"] for each in reversed(api.get("/history", limit=2)["versions"])])
        before, after = sides
        if before is None or after is None:
            raise typer.BadParameter("through --admin two versions can be compared, and not the file; give both")
        return api.get("/diff", **{"from": before, "to": after})


def _by_files(sides: tuple[_Side, _Side] | None, routes: Path, state: Path | None, as_json: bool) -> dict[str, str]:
    history = History(state_folder(routes, state))
    entries = versions(history, routes, as_json)
    before, after = sides or _last_two([entry.version for entry in entries])
    try:
        old, new = (_text(side, history, routes, as_json) for side in (before, after))
    except ConfigError as error:
        refuse(error.problems, as_json)
    names = [routes.name if side is None else f"version {side}" for side in (before, after)]
    return {"diff": masked(unified(old, new, *names), old, new), "changes": _changes(old, new)}


def _last_two(versions: list[int]) -> tuple[int, int]:
    if len(versions) < 2:
        raise typer.BadParameter("there are no two versions yet; `gateway diff VERSION` compares one with the file")
    return versions[-2], versions[-1]


def _text(side: _Side, history: History, routes: Path, as_json: bool) -> str:
    if side is None:
        content = find(routes).content
        return "" if content is None else content.decode("utf-8", "replace")
    try:
        return history.text(side)
    except KeyError:
        fail("unknown-version", f"no text is kept of version {side}; see `gateway history`", BAD_REQUEST, as_json)


def _changes(old: str, new: str) -> str:
    try:
        before, after = (load_text(text, keep_unset=True) for text in (old, new))
    except ConfigError as error:
        return f"one of them is bad: {error.problems[0]}"
    return described(before.config, after.config)
