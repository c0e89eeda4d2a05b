"""The file that a command is about: which one, and what a command says when it is bad."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.config.loader import Loaded, load_file
from gateway.config.problem import ConfigError, Problem
from gateway.config.source import NO_FILE

BAD_FILE = 2


def _not_twice(ctx: typer.Context, value: Path | None) -> Path | None:
    source = ctx.get_parameter_source("routes_option")
    if value is not None and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter("the file is named twice, here and by --routes")
    return value


RoutesFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="ROUTES",
        help="The routes file, as by --routes.",
        show_default=False,
        callback=_not_twice,
        # Whether it can be read is told by who reads it, in the words for every other file that is bad.
        readable=False,
    ),
]
RoutesOption = Annotated[
    Path,
    typer.Option(
        "--routes",
        metavar="PATH",
        envvar="GATEWAY_ROUTES",
        help="The routes file; by default routes.yaml.",
        show_default=False,
        readable=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

DEFAULT_FILE = Path("routes.yaml")


def load_or_exit(path: Path, as_json: bool) -> Loaded:
    """The checked file; for a bad one, all that is wrong with it, and the end of the command."""
    try:
        return load_file(path)
    except ConfigError as error:
        refuse(error.problems, as_json)


def refuse(problems: Iterable[Problem], as_json: bool) -> NoReturn:
    """Print the problems, one a line, to standard error, or as JSON to standard output; and exit with 2."""
    if as_json:
        print_json({"ok": False, "problems": [as_data(problem) for problem in problems]})
    else:
        for line in refusal(problems):
            typer.echo(line, err=True)
    raise typer.Exit(BAD_FILE)


def refusal(problems: Iterable[Problem]) -> Iterator[str]:
    """The problems, one a line. Who has named no file, and is not where one is, is told what to do."""
    for problem in problems:
        yield str(problem)
        if problem.message == NO_FILE and problem.source == DEFAULT_FILE.name:
            yield "name another with --routes or GATEWAY_ROUTES; `gateway init` writes a first one"


def as_data(problem: Problem) -> dict[str, object]:
    return {
        "source": problem.source,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
    }


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
