"""How a change ends: in words, or as JSON; and with which exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import typer

from gateway.cli.plan_view import plan_lines
from gateway.cli.routes_file import print_json


def fail(kind: str, message: str, code: int, as_json: bool, **more: Any) -> NoReturn:
    """Say what went wrong, and end the command."""
    if as_json:
        print_json({"ok": False, "kind": kind, "message": message, **more})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(code)


def nothing_changes(message: str, as_json: bool) -> NoReturn:
    """What is wanted is so already: well done, for a script that runs twice."""
    if as_json:
        print_json({"ok": True, "changed": False, "message": message})
    else:
        typer.echo(message)
    raise typer.Exit(0)


def planned(plan: Mapping[str, Any], as_json: bool) -> None:
    """Say what is about to happen; JSON says all at the end."""
    if not as_json:
        for line in plan_lines(plan):
            typer.echo(line)


def not_changed(plan: Mapping[str, Any], as_json: bool) -> None:
    """The end of --dry-run."""
    if as_json:
        print_json({"ok": True, "changed": False, "dry_run": True, **plan})
    else:
        typer.echo(f"\n{plan['diff']}\nnothing was changed")


def changed(made: Mapping[str, Any], words: str, as_json: bool) -> None:
    """``made`` is the plan and what came of it."""
    if as_json:
        print_json({"ok": True, "changed": True, **made, "message": words})
        return
    if made["kept"] is not None:
        typer.echo(f"what was in the file is kept as {made['kept']}")
    typer.echo(words)
    if made["undo"] is not None:
        typer.echo(f"to take it back: {made['undo']}")
