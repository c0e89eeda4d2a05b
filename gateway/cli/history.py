"""`gateway history`: every version that was live."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from gateway.cli.change_options import AdminUrl
from gateway.cli.columns import print_columns
from gateway.cli.exit_code import BAD_REQUEST
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesOption, print_json
from gateway.cli.state import StateFolder, versions
from gateway.history.entry import Entry
from gateway.history.folder import state_folder
from gateway.history.history import History

_ORIGINS: Final = {"start": "at a start", "file": "file edit", "command": "command", "api": "admin API"}


def history(
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", min=1, help="Print the text of this one.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many, the newest first.")] = 20,
    routes: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: AdminUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print every version that was live: when, who, what, and why.

    The newest is live, or was when the gateway ended.
    """
    if admin is not None:
        from gateway.cli.by_admin import AdminApi

        with AdminApi(admin, as_json) as api:
            data = api.get("/history", limit=limit) if version is None else api.get(f"/history/{version}")
    else:
        kept = History(state_folder(routes, state))
        entries = versions(kept, routes, as_json)
        data = _versions(entries, limit) if version is None else _version(kept, entries, version, as_json)
    if as_json:
        print_json(data)
    elif version is not None:
        typer.echo(data["text"] or "", nl=False)
    elif data["versions"]:
        _print(data["versions"], data["total"])
    else:
        typer.echo("no version was ever live here")


def _versions(entries: list[Entry], limit: int) -> dict[str, Any]:
    return {"versions": [asdict(entry) for entry in entries[: -limit - 1 : -1]], "total": len(entries)}


def _version(kept: History, entries: list[Entry], version: int, as_json: bool) -> dict[str, Any]:
    entry = next((entry for entry in entries if entry.version == version), None)
    if entry is None:
        fail("unknown-version", f"there is no version {version}; see `gateway history`", BAD_REQUEST, as_json)
    try:
        return {**asdict(entry), "text": kept.text(version)}
    except KeyError:
        fail("unknown-version", f"the text of version {version} is not kept", BAD_REQUEST, as_json)


def _print(versions: list[Mapping[str, Any]], total: int) -> None:
    print_columns(
        ("VERSION", "LIVE SINCE", "BY", "CHANGED", "WHY"), [_row(each) for each in versions], numbers=("VERSION",)
    )
    if total > len(versions):
        typer.echo(f"and {total - len(versions)} older ones; `gateway history -n {min(total, 1000)}` prints them too")


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry["at"]))
    by = ", ".join(filter(None, (entry["user"], _ORIGINS[entry["origin"]])))
    undone_to = entry.get("undone_to")
    changed = entry["changes"] if undone_to is None else f"back to {undone_to}: {entry['changes']}"
    return str(entry["version"]), when, by, changed, entry["reason"] or "-"
