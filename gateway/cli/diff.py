"""`gateway diff`: what is different between two versions, or between one and the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.change.described import described
from gateway.change.diff import unified
from gateway.change.found import find
from gateway.cli.carry_out import fail
from gateway.cli.exit_code import BAD_REQUEST
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption, print_json, refuse
from gateway.cli.state import StateFolder
from gateway.config.loader import load_text
from gateway.config.problem import ConfigError
from gateway.history.folder import state_folder
from gateway.history.history import History

_FILE = "file"


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    text: str


def diff(
    old: Annotated[
        str | None, typer.Argument(metavar="A", help="A version, or `file` as it is now.", show_default=False)
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="B", help="The same; by default the file.", show_default=False)
    ] = None,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what is different from version A to version B.

    With neither: between the last two versions that were live. With A alone: from it to the file as it is now.
    """
    history = History(state_folder(routes, state))
    if old is None:
        versions = [entry.version for entry in history.entries()][-2:]
        if len(versions) < 2:
            message = history.problem or "there are no two versions yet; `gateway diff VERSION` compares with the file"
            fail("unknown-version", message, BAD_REQUEST, as_json)
        old, new = map(str, versions)
    try:
        sides = [_side(name, history, routes, as_json) for name in (old, new or _FILE)]
    except ConfigError as error:
        refuse(error.problems, as_json)
    before, after = sides
    summary = _summary(before.text, after.text)
    text = unified(before.text, after.text, before.name, after.name)
    if as_json:
        print_json({"from": before.name, "to": after.name, "summary": summary, "diff": text})
    else:
        typer.echo(f"{summary}\n{text}" if text else "no difference", nl=not text)


def _side(name: str, history: History, routes: RoutesOption, as_json: bool) -> _Side:
    if name == _FILE:
        content = find(routes).content
        return _Side(routes.name, "" if content is None else content.decode("utf-8", "replace"))
    if not name.isdecimal():
        raise typer.BadParameter(f"'{name}' is not the number of a version, nor 'file'")
    try:
        return _Side(f"version {int(name)}", history.text(int(name)))
    except KeyError:
        fail("unknown-version", f"no text is kept of version {name}; see `gateway history`", BAD_REQUEST, as_json)


def _summary(old: str, new: str) -> str:
    try:
        before, after = (load_text(text, keep_unset=True) for text in (old, new))
    except ConfigError as error:
        return f"one of them is bad: {error.problems[0]}"
    return described(before.config, after.config)
