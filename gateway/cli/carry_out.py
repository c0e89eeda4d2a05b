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
from gateway.cli.exit_code import BAD_REQUEST, CHANGED_UNDERNEATH, INTERRUPTED, NOT_DONE
from gateway.cli.outcome import changed, fail, not_changed, nothing_changes, planned
from gateway.cli.plan_view import plan_data
from gateway.cli.routes_file import as_data, print_json, refusal
from gateway.cli.state import ELSEWHERE
from gateway.cli.unsaved import who_knows_more
from gateway.cli.whoami import whoami
from gateway.config.problem import ConfigError
from gateway.control.run_file import Run, running
from gateway.history.folder import state_folder
from gateway.history.history import History

if TYPE_CHECKING:
    from gateway.cli.live_wait import Live


def carry_out(change: Change, how: How) -> None:
    """Ends the command with its exit code if that is not 0."""
    if how.admin is not None:
        # Here, not above: httpx takes a tenth of a second that --help need not wait for.
        from gateway.cli.by_admin import carry_out_by_admin

        carry_out_by_admin(change, how.admin, how)
        return
    folder = state_folder(how.routes, how.state)
    history = History(folder)
    admin = who_knows_more(change, how.routes, folder, history)
    if admin is not None:
        from gateway.cli.by_admin import carry_out_by_admin

        carry_out_by_admin(change, admin, how)
        return
    wanted = _planned(change, history, how)
    run = _run_of(folder, how)
    planned(plan_data(wanted), how.as_json)
    if how.dry_run:
        not_changed(plan_data(wanted), how.as_json)
    else:
        _write_and_wait(wanted, run, history, how)


def _planned(change: Change, history: History, how: How) -> Plan:
    try:
        found = find(how.routes)
    except ConfigError as error:
        # What cannot be read cannot be gone back from either.
        _bad_file(error, "", how)
    try:
        return plan(found, change, history)
    except ChangeError as error:
        if error.kind == "nothing-changes":
            nothing_changes(str(error), how.as_json)
        if history.problem and error.kind in ("nothing-to-undo", "unknown-version"):
            fail("unreadable", f"{history.problem}; {ELSEWHERE}", NOT_DONE, how.as_json)
        fail(error.kind, str(error), BAD_REQUEST, how.as_json)
    except ConfigError as error:
        remedy = f"`gateway rollback{how.where}` brings back the last version that was live"
        _bad_file(error, remedy if history.entries() else "", how)


def _write_and_wait(wanted: Plan, run: Run | None, history: History, how: How) -> None:
    from gateway.cli.live_wait import NotLive, Watch

    undo = _undo(wanted, history, how)
    watch = Watch(run, history) if run is not None and how.wait else None
    begun = time.monotonic()
    kept = _write(wanted, history, how)
    made = {
        **plan_data(wanted),
        "digest": wanted.after.digest,
        "kept": None if kept is None else str(kept),
        "undo": undo,
    }
    if watch is None:
        changed({**made, **_live_data(None)}, _not_waited(run, how), how.as_json)
        return
    try:
        live = watch.wait(wanted.after.digest, begun, how.timeout)
    except (NotLive, KeyboardInterrupt) as error:
        remedy = "the file is written" + (f"; `{undo}` takes it back" if undo is not None else "")
        if isinstance(error, KeyboardInterrupt):
            fail("interrupted", f"not waited for any longer; {remedy}", INTERRUPTED, how.as_json, **made)
        fail("not-live", f"{error}\n{remedy}", NOT_DONE, how.as_json, **made)
    finally:
        watch.close()
    changed({**made, **_live_data(live)}, live.words(), how.as_json)


def _write(wanted: Plan, history: History, how: How) -> Path | None:
    try:
        return apply(how.routes, wanted, history, origin="command", user=whoami(), reason=how.reason)
    except ChangeError as error:
        fail(error.kind, str(error), CHANGED_UNDERNEATH, how.as_json)
    except OSError as error:
        message = f"{how.routes} cannot be written: {error.strerror or error}; nothing has changed"
        fail("not-written", message, NOT_DONE, how.as_json)


def _undo(wanted: Plan, history: History, how: How) -> str | None:
    """The command that takes the change back, if there is one."""
    entries = history.entries()
    if not entries or wanted.after.digest == entries[-1].digest:
        return None
    command = "gateway rollback" if wanted.undone_to is None else f"gateway rollback --to {entries[-1].version}"
    return command + how.where


def _live_data(live: Live | None) -> dict[str, Any]:
    if live is None:
        return {"version": None, "live_on": None, "workers": None, "milliseconds": None}
    return {
        "version": live.version,
        "live_on": live.live_on,
        "workers": live.workers,
        "milliseconds": round(live.seconds * 1000),
    }


def _not_waited(run: Run | None, how: How) -> str:
    if run is not None:
        return "written; the gateway reads it now"
    folder = state_folder(how.routes, how.state)
    return f"written; no gateway was found by its state folder ({folder}): it is live when one starts"


def _bad_file(error: ConfigError, remedy: str, how: How) -> NoReturn:
    if how.as_json:
        problems = [as_data(problem) for problem in error.problems]
        print_json({"ok": False, "kind": "bad-file", "problems": problems, "message": remedy})
    else:
        lines = [*map(str, error.problems), remedy] if remedy else refusal(error.problems)
        for line in lines:
            typer.echo(line, err=True)
    raise typer.Exit(BAD_REQUEST)


def _run_of(folder: Path, how: How) -> Run | None:
    """The gateway that will read the file; None if there is none."""
    try:
        run = running(folder)
    except PermissionError:
        message = f"no permission to look into {folder}; {ELSEWHERE}"
        fail("no-permission", message, NOT_DONE, how.as_json)
    if run is not None and os.path.realpath(run.routes) != os.path.realpath(how.routes):
        message = f"the gateway with the state folder {folder} serves {run.routes}; give that as --routes"
        fail("another-file", message, BAD_REQUEST, how.as_json)
    return run
