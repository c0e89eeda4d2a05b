"""`gateway lint`: what will surprise users when a route moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

from gateway.backends.search_path import look_beside
from gateway.cli.exit_code import BAD_REQUEST, NOT_DONE
from gateway.cli.outcome import fail
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, load_or_exit, print_json
from gateway.cli.sides import AppProblem, LegacyApp, LegacyUrl, NewApp, NewUrl, Side, side, sides
from gateway.config.loader import Loaded
from gateway.config.words import did_you_mean
from gateway.migrate.inventory.endpoint import Inventory
from gateway.migrate.lint.finding import Need
from gateway.migrate.lint.rules import BY_CODE
from gateway.migrate.lint.run import Result, Told
from gateway.migrate.lint.run import lint as look
from gateway.migrate.lint.subject import Subject

# By the side of the migration, why its app is not at hand.
Reasons = Mapping[str, str]


def lint(
    routes: RoutesFile = None,
    legacy: LegacyApp = None,
    new: NewApp = None,
    legacy_url: LegacyUrl = None,
    new_url: NewUrl = None,
    select: Annotated[
        str | None,
        typer.Option(metavar="CODES", help="Only these, such as SG101,SG2: SG2 is all of SG2xx.", show_default=False),
    ] = None,
    ignore: Annotated[
        str | None, typer.Option(metavar="CODES", help="All but these, in the same form.", show_default=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for notes, too.")] = False,
    routes_option: RoutesOption = DEFAULT_FILE,
    as_json: AsJson = False,
) -> None:
    """Tell what will surprise users when a route moves.

    Each finding has its line, the reason and the remedy. The apps are those of the routes file, unless they are named;
    what needs an app that is not at hand is left out. Exits with 0, with 1 if there are warnings, with 2 for a bad
    file.
    """
    path = routes or routes_option
    codes = _codes(select, ignore, as_json)
    loaded = load_or_exit(path, as_json)
    look_beside(path)
    try:
        subject, reasons = _subject(loaded, side("legacy", legacy, legacy_url), side("new", new, new_url))
    except AppProblem as problem:
        fail("bad-app", str(problem), BAD_REQUEST, as_json)
    result = look(subject, codes)
    if as_json:
        print_json(_as_data(result, reasons))
    else:
        for line in _lines(result, reasons, loaded.source):
            typer.echo(line)
    if result.warnings or (strict and result.told):
        raise typer.Exit(NOT_DONE)


def _codes(select: str | None, ignore: str | None, as_json: bool) -> frozenset[str]:
    chosen = set(BY_CODE) if select is None else set(_matching("--select", select, as_json))
    return frozenset(chosen - (set(_matching("--ignore", ignore, as_json)) if ignore is not None else set()))


def _matching(flag: str, text: str, as_json: bool) -> Iterator[str]:
    for word in text.replace(",", " ").split():
        found = [code for code in BY_CODE if code.startswith(word.upper())]
        if not found:
            fail("bad-code", f"{flag}: there is no {word}{did_you_mean(word, BY_CODE)}", BAD_REQUEST, as_json)
        yield from found


def _subject(loaded: Loaded, old: Side | None, fresh: Side | None) -> tuple[Subject, Reasons]:
    """Raises AppProblem for an app that was named, and cannot be looked into; one of the file may be missing."""
    both = sides(loaded.config, old, fresh)
    reasons: dict[str, str] = {}
    legacy = _inventory("legacy", old, both.legacy, reasons)
    new = _inventory("new", fresh, both.new, reasons)
    return Subject(loaded, both.legacy_name, both.new_name, legacy, new), reasons


def _inventory(which: str, given: Side | None, side: Side | None, reasons: dict[str, str]) -> Inventory | None:
    if side is None:
        reasons[which] = f"the file names no {which} app; give --{which} module:app"
        return None
    try:
        found = side.inventory()
    except AppProblem as problem:
        if given is not None:
            raise
        reasons[which] = f"{problem}; give --{which} module:app"
        return None
    if found.framework == "OpenAPI":
        reasons[which] = f"of the {which} app there is only an OpenAPI document; give --{which} module:app"
    return found


def _lines(result: Result, reasons: Reasons, source: str) -> Iterator[str]:
    for each in result.told:
        level = " note:" if each.level == "note" else ""
        yield f"{each.where.source}:{each.where.line}:{each.where.column}: {each.rule.code}{level} {each.where.message}"
    for rule in dict.fromkeys(each.rule for each in sorted(result.told, key=lambda each: each.rule.code)):
        yield ""
        yield f"{rule.code}: {rule.title}"
        yield f"  why: {rule.why}"
        yield f"  remedy: {rule.remedy}"
    if result.told:
        yield ""
    yield f"{source}: {_summary(result)}"
    for reason, codes in _left_out(result, reasons).items():
        yield f"not looked for: {', '.join(codes)}: {reason}"


def _summary(result: Result) -> str:
    counts = [_count(result.warnings, "warning"), _count(len(result.told) - result.warnings, "note")]
    if result.ignored:
        counts.append(f"{result.ignored} ignored")
    return ", ".join(counts)


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _left_out(result: Result, reasons: Reasons) -> Mapping[str, Sequence[str]]:
    """The codes of the rules that could not look, by the reason."""
    found: dict[str, list[str]] = {}
    for each in result.skipped:
        found.setdefault(_reason(each.missing, reasons), []).append(each.rule.code)
    return found


def _reason(missing: Need, reasons: Reasons) -> str:
    return reasons[missing.removesuffix(" app")]


def _as_data(result: Result, reasons: Reasons) -> dict[str, object]:
    return {
        "ok": result.warnings == 0,
        "findings": [_finding(each) for each in result.told],
        "warnings": result.warnings,
        "notes": len(result.told) - result.warnings,
        "ignored": result.ignored,
        "not_looked_for": [
            {"code": each.rule.code, "title": each.rule.title, "reason": _reason(each.missing, reasons)}
            for each in result.skipped
        ],
    }


def _finding(told: Told) -> dict[str, object]:
    return {
        "code": told.rule.code,
        "title": told.rule.title,
        "level": told.level,
        "source": told.where.source,
        "line": told.where.line,
        "column": told.where.column,
        "route": told.route or None,
        "message": told.where.message,
        "why": told.rule.why,
        "remedy": told.rule.remedy,
    }
