"""One change from the command line: planned, shown, written, and waited for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from gateway.change.change import Change, ChangeError
from gateway.change.found import find
from gateway.change.plan import Plan, plan
from gateway.change.write import apply
from gateway.cli.change_options import How
from gateway.cli.exit_code import BAD_REQUEST, CHANGED_UNDERNEATH, NOT_DONE
from gateway.cli.plan_view import plan_data, plan_lines
from gateway.cli.routes_file import as_data, print_json
from gateway.cli.whoami import whoami
from gateway.config.problem import ConfigError
from gateway.control.run_file import Run, running
from gateway.history.folder import state_folder
from gateway.history.history import History

if TYPE_CHECKING:
    from gateway.cli.live_wait import Live


def carry_out(change: Change, how: How) -> None:
    """Ends the command with its exit code if that is not 0."""
    folder = state_folder(how.routes, how.state)
    history = History(folder)
    try:
        planned = plan(find(how.routes), change, history)
    except ChangeError as error:
        if error.kind == "nothing-changes":
            _nothing_changes(str(error), how)
        fail(error.kind, _with(str(error), history.problem), BAD_REQUEST, how.as_json)
    except ConfigError as error:
        _bad_file(error, history, how)
    if how.dry_run:
        _show(plan_data(planned), how, dry_run=True)
        return
    run = _run_of(folder, how)
    if not how.as_json:
        _show(plan_data(planned), how, dry_run=False)
    _write_and_wait(planned, run, history, how)


def fail(kind: str, message: str, code: int, as_json: bool, **more: Any) -> NoReturn:
    """Say what went wrong, and end the command."""
    if as_json:
        print_json({"ok": False, "kind": kind, "message": message, **more})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(code)


def _undo(planned: Plan, history: History) -> str | None:
    """The command that takes the change back, if there is one."""
    entries = history.entries()
    if not entries or planned.after.digest == entries[-1].digest:
        return None
    return "gateway rollback" if planned.undone_to is None else f"gateway rollback --to {entries[-1].version}"


def _write_and_wait(planned: Plan, run: Run | None, history: History, how: How) -> None:
    # Here, not above: httpx takes a tenth of a second that --dry-run and --help need not wait for.
    from gateway.cli.live_wait import NotLive, Watch

    undo = _undo(planned, history)
    watch = Watch(run, history) if run is not None and how.wait else None
    begun = time.monotonic()
    try:
        kept = apply(how.routes, planned, history, origin="command", user=whoami(), reason=how.reason)
    except ChangeError as error:
        fail(error.kind, str(error), CHANGED_UNDERNEATH, how.as_json)
    except OSError as error:
        message = f"{how.routes} cannot be written: {error.strerror or error}; nothing has changed"
        fail("not-written", message, NOT_DONE, how.as_json)
    if kept is not None and not how.as_json:
        typer.echo(f"what was in the file is kept as {kept}")
    if watch is None:
        _tell({**_written(planned, kept), "undo": undo}, None, _not_waited(run, how), how)
        return
    try:
        live = watch.wait(planned.after.digest, begun, how.timeout)
    except NotLive as error:
        remedy = f"the file is written; `{undo}` takes it back" if undo is not None else "the file is written"
        fail("not-live", f"{error}\n{remedy}", NOT_DONE, how.as_json, **_written(planned, kept), undo=undo)
    finally:
        watch.close()
    _tell({**_written(planned, kept), "undo": undo}, live, live.words(), how)


def _tell(written: dict[str, Any], live: Live | None, words: str, how: How) -> None:
    if how.as_json:
        print_json({"ok": True, "changed": True, **written, **_live_data(live), "message": words})
        return
    typer.echo(words)
    if written["undo"] is not None:
        typer.echo(f"to take it back: {written['undo']}")


def _live_data(live: Live | None) -> dict[str, Any]:
    if live is None:
        return {"version": None, "live_on": None, "workers": None, "milliseconds": None}
    return {
        "version": live.version,
        "live_on": live.live_on,
        "workers": live.workers,
        "milliseconds": round(live.seconds * 1000, 1),
    }


def _written(planned: Plan, kept: Path | None) -> dict[str, Any]:
    return {**plan_data(planned), "digest": planned.after.digest, "kept": None if kept is None else str(kept)}


def _not_waited(run: Run | None, how: How) -> str:
    if run is not None:
        return "written; the gateway reads it now"
    return (
        f"written; no gateway was found by its state folder ({state_folder(how.routes, how.state)}): "
        "it is live when one starts"
    )


def _show(data: dict[str, Any], how: How, *, dry_run: bool) -> None:
    if how.as_json:
        print_json({"ok": True, "changed": False, "dry_run": True, **data})
        return
    for line in plan_lines(data):
        typer.echo(line)
    if dry_run:
        typer.echo(f"\n{data['diff']}\nnothing was changed")


def _nothing_changes(message: str, how: How) -> NoReturn:
    if how.as_json:
        print_json({"ok": True, "changed": False, "message": message})
    else:
        typer.echo(message)
    raise typer.Exit(0)


def _bad_file(error: ConfigError, history: History, how: How) -> NoReturn:
    remedy = "`gateway rollback` brings back the last version that was live" if history.entries() else ""
    if how.as_json:
        problems = [as_data(problem) for problem in error.problems]
        print_json({"ok": False, "kind": "bad-file", "problems": problems, "message": remedy})
    else:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        if remedy:
            typer.echo(remedy, err=True)
    raise typer.Exit(BAD_REQUEST)


def _run_of(folder: Path, how: How) -> Run | None:
    """The gateway that will read the file; None if there is none."""
    try:
        run = running(folder)
    except PermissionError:
        message = f"no permission to look into {folder}: run this as the gateway's user, or give --admin URL"
        fail("no-permission", message, NOT_DONE, how.as_json)
    if run is not None and os.path.realpath(run.routes) != os.path.realpath(how.routes):
        message = f"the gateway with the state folder {folder} serves {run.routes}; give that as --routes"
        fail("another-file", message, BAD_REQUEST, how.as_json)
    return run


def _with(message: str, why: str) -> str:
    return f"{message} ({why})" if why else message
