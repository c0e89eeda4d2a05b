"""`gateway init`: a first routes.yaml from the two apps, and later what has become new in them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway.backends.search_path import look_beside
from gateway.change.change import ChangeError
from gateway.change.diff import unified
from gateway.change.found import Found, find
from gateway.change.plan import Plan
from gateway.change.write import apply
from gateway.cli.exit_code import BAD_REQUEST, CHANGED_UNDERNEATH, NOT_DONE
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, print_json, refuse
from gateway.cli.sides import AppProblem, LegacyApp, LegacyUrl, NewApp, NewUrl, Side, side, sides
from gateway.cli.state import StateFolder
from gateway.cli.whoami import whoami
from gateway.config.append import add_backend, append_routes, layout_of
from gateway.config.editor import EditError
from gateway.config.loader import Loaded, load_text
from gateway.config.problem import ConfigError
from gateway.history.folder import state_folder
from gateway.history.history import History
from gateway.migrate.additions import additions
from gateway.migrate.entry import Entry, Proposal
from gateway.migrate.inventory.compare import compare
from gateway.migrate.inventory.endpoint import Inventory
from gateway.migrate.propose import propose
from gateway.migrate.routes_text import App, backend_value, entry_lines, flow_item, routes_text, summary


def init(
    legacy: LegacyApp = None,
    new: NewApp = None,
    legacy_url: LegacyUrl = None,
    new_url: NewUrl = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            "--routes",
            metavar="PATH",
            envvar="GATEWAY_ROUTES",
            help="The routes file to write; by default routes.yaml.",
            show_default=False,
        ),
    ] = DEFAULT_FILE,
    write: Annotated[bool, typer.Option("--write", help="Add to a file that is there, without asking.")] = False,
    state: StateFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a first routes.yaml from the two apps.

    Everything stays with the legacy app, and what both apps have gets an entry of its own. Where the file is there
    already, it is kept: what is new in the apps is shown as a diff, and added with --write.
    """
    look_beside(output)
    try:
        old_side, new_side = side("legacy", legacy, legacy_url), side("new", new, new_url)
        found = find(output)
        if found.content is None:
            _first(output, old_side, new_side, as_json)
        elif found.loaded is None:
            refuse(found.problems, as_json)
        else:
            history = History(state_folder(output, state))
            _again(output, found, found.loaded, old_side, new_side, history, write, as_json)
    except ConfigError as error:
        refuse(error.problems, as_json)
    except AppProblem as problem:
        fail("bad-app", str(problem), BAD_REQUEST, as_json)
    except EditError as error:
        refuse([error.problem], as_json)


def _first(output: Path, old_side: Side | None, new_side: Side | None, as_json: bool) -> None:
    if old_side is None:
        raise AppProblem("name the old app: --legacy module:app, or module:create_app() for a factory")
    old = old_side.inventory()
    fresh = new_side.inventory() if new_side is not None else None
    proposal = propose(compare(old, fresh))
    app = _app(new_side, fresh) if new_side is not None and fresh is not None else None
    text = routes_text(_app(old_side, old), app, proposal)
    load_text(text, output.name)
    try:
        # Never over a file: not even over one that has come while the apps were imported.
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fail("changed-underneath", f"{output} has come meanwhile; run this again", CHANGED_UNDERNEATH, as_json)
    except OSError as error:
        fail("not-written", f"{output} cannot be written: {error.strerror or error}", NOT_DONE, as_json)
    warnings = [*old.warnings, *(fresh.warnings if fresh is not None else ())]
    if as_json:
        print_json({"file": str(output), "written": True, "diff": "", **_as_data(proposal, warnings)})
        return
    typer.echo(f"{output} is written: {summary(proposal.entries)}; everything goes to legacy")
    _tell(proposal, warnings)
    typer.echo("next: gateway check, gateway run; then gateway coverage says what to move first")


def _again(
    output: Path,
    found: Found,
    loaded: Loaded,
    old_side: Side | None,
    new_side: Side | None,
    history: History,
    write: bool,
    as_json: bool,
) -> None:
    config = loaded.config
    both = sides(config, old_side, new_side)
    if both.legacy is None:
        raise AppProblem(f"{output} names no app that can be looked into; name the old one: --legacy module:app")
    old = both.legacy.inventory()
    fresh = both.new.inventory() if both.new is not None else None
    proposal = additions(propose(compare(old, fresh)), config)
    warnings = [*old.warnings, *(fresh.warnings if fresh is not None else ())]
    after = loaded
    if both.new_name is None and both.new is not None and fresh is not None:
        after = add_backend(after, "new", backend_value(_app(both.new, fresh)))
    if proposal.entries:
        after = _with_routes(after, proposal.entries)
    plan = Plan(
        before=loaded,
        after=after,
        routes=(),
        diff=unified(loaded.text, after.text, found.source, found.source),
        summary=summary(proposal.entries),
        replaces=found.content,
    )
    if as_json:
        written = bool(plan.diff) and write
        if written:
            _apply(output, plan, history, as_json)
        print_json({"file": str(output), "written": written, "diff": plan.diff, **_as_data(proposal, warnings)})
        return
    _tell(proposal, warnings)
    if not plan.diff:
        typer.echo(f"{output} has all of it already: nothing is new")
        return
    typer.echo(plan.diff, nl=False)
    if not write and not (sys.stdin.isatty() and typer.confirm(f"Add this to {output}?")):
        typer.echo(f"{output} is not changed; --write adds this")
        return
    _apply(output, plan, history, as_json)
    typer.echo(f"{output}: added {plan.summary}; all of it goes to {config.default}, as before")


def _with_routes(loaded: Loaded, entries: tuple[Entry, ...]) -> Loaded:
    layout = layout_of(loaded)
    to = f"to: {loaded.config.default}"
    if layout.brackets:
        items = [flow_item(entry, to) for entry in entries]
    else:
        items = list(entry_lines(entries, layout.indent, to, layout.offset))
    return append_routes(loaded, items, len(entries))


def _apply(output: Path, plan: Plan, history: History, as_json: bool) -> None:
    try:
        apply(output, plan, history, origin="command", user=whoami(), reason="gateway init")
    except ChangeError as error:
        fail(error.kind, str(error), CHANGED_UNDERNEATH, as_json)
    except OSError as error:
        fail("not-written", f"{output} cannot be written: {error.strerror or error}", NOT_DONE, as_json)


def _app(side: Side, inventory: Inventory) -> App:
    number = len(inventory.endpoints)
    about = f"{inventory.framework}, {number} endpoint{'' if number == 1 else 's'}"
    return App(side.address, remote=side.url is not None, about=about)


def _tell(proposal: Proposal, warnings: Iterable[str]) -> None:
    for warning in warnings:
        typer.echo(f"note: {warning}", err=True)
    for each in proposal.left_out:
        whole = not each.methods or each.endpoint.own <= set(each.methods)
        methods = "" if whole else f"{','.join(each.methods)} of "
        typer.echo(f"no entry for {methods}{each.endpoint.label}: {each.why}", err=True)


def _as_data(proposal: Proposal, warnings: Iterable[str]) -> dict[str, object]:
    return {
        "entries": list(_entries(proposal)),
        "left_out": [
            {"endpoint": each.endpoint.label, "methods": list(each.methods), "why": each.why}
            for each in proposal.left_out
        ],
        "warnings": list(warnings),
    }


def _entries(proposal: Proposal) -> Iterator[dict[str, object]]:
    for entry in proposal.entries:
        yield {
            "section": entry.section,
            "path": entry.path,
            "methods": list(entry.methods),
            "host": entry.host,
            "group": entry.group,
            "endpoints": [endpoint.label for endpoint in entry.endpoints],
            "remarks": list(entry.remarks),
        }
