"""`gateway history`: every version that was live."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Final

import typer

from gateway.cli.carry_out import fail
from gateway.cli.columns import print_columns
from gateway.cli.exit_code import BAD_REQUEST
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption, print_json
from gateway.cli.state import StateFolder
from gateway.history.entry import Entry, Origin
from gateway.history.folder import state_folder
from gateway.history.history import History

_ORIGINS: Final[dict[Origin, str]] = {
    "start": "at a start",
    "file": "file edit",
    "command": "command",
    "api": "admin API",
}


def history(
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Print the text of this version.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest first.")] = 20,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    as_json: AsJson = False,
) -> None:
    """Print every version that was live: when, by whom, what it changed and why.

    The newest is live, or was when the gateway ended.
    """
    folder = state_folder(routes, state)
    kept = History(folder)
    if version is not None:
        _print_text(kept, version, as_json)
        return
    entries = kept.entries()
    if as_json:
        print_json({"versions": [asdict(entry) for entry in reversed(entries[-limit:])], "kept": len(entries)})
        return
    if not entries:
        typer.echo(kept.problem or f"no version was ever live here ({folder})")
        return
    print_columns(
        ("VERSION", "LIVE SINCE", "BY", "CHANGED", "WHY"),
        [_row(entry) for entry in reversed(entries[-limit:])],
        numbers=("VERSION",),
    )
    if len(entries) > limit:
        typer.echo(f"and {len(entries) - limit} older ones; `gateway history -n {len(entries)}` prints all")


def _row(entry: Entry) -> tuple[str, ...]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
    origin = _ORIGINS[entry.origin]
    by = f"{entry.user}, {origin}" if entry.user else origin
    changed = entry.changes if entry.undone_to is None else f"back to {entry.undone_to}: {entry.changes}"
    return str(entry.version), when, by, changed, entry.reason or "-"


def _print_text(kept: History, version: int, as_json: bool) -> None:
    entry = next((entry for entry in kept.entries() if entry.version == version), None)
    try:
        text = kept.text(version)
    except KeyError:
        what = f"there is no version {version}" if entry is None else f"the text of version {version} is not kept"
        fail("unknown-version", f"{what}; see `gateway history`", BAD_REQUEST, as_json)
    if as_json:
        assert entry is not None
        print_json({**asdict(entry), "text": text})
    else:
        typer.echo(text, nl=False)
