"""The `gateway` command: each subcommand is one function in a file of its name."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer

from gateway.cli import (
    check,
    coverage,
    diff,
    explain,
    history,
    init,
    lint,
    move,
    rollback,
    routes,
    run,
    schema,
    split,
    status,
)
from gateway.cli.exit_code import INTERRUPTED
from gateway.version import __version__

# click's, wherever this version of typer keeps it.
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="gateway",
    help="Move a Flask app to FastAPI one endpoint at a time, behind one gateway.",
    no_args_is_help=True,
    # Plain help and plain tracebacks: a box around them helps nobody in a log file or a CI job.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gateway {__version__}")
        raise typer.Exit


@app.callback()
def gateway(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Without a subcommand: the help."""


app.command(epilog="Example: gateway init --legacy 'shop:create_app()' --new shop_api:app")(init.init)
app.command(epilog="Example: gateway coverage --format markdown --fail-under 50")(coverage.coverage)
app.command(epilog="Examples: gateway lint · gateway lint --select SG1,SG301 · gateway lint --json")(lint.lint)
app.command(epilog="Example: gateway run routes.yaml --port 8000 --workers 4")(run.run)
app.command(epilog="Example: gateway check routes.yaml --no-import")(check.check)
app.command(epilog="Example: gateway routes --json")(routes.routes)
app.command(epilog="Example: gateway explain GET '/books/7?page=2' -H 'X-Beta: 1'")(explain.explain)
app.command(epilog="Example: gateway move 'GET /books/{id}' new -m 'parity checked'")(move.move)
app.command(epilog="Example: gateway split /books new=25")(split.split)
app.command(epilog="Examples: gateway rollback · gateway rollback /books · gateway rollback --to 12")(rollback.rollback)
app.command(epilog="Example: gateway history -n 50")(history.history)
app.command(epilog="Examples: gateway diff · gateway diff 11 12 · gateway diff 12 file")(diff.diff)
app.command(epilog="Examples: gateway status · gateway status --watch · gateway status --json")(status.status)
app.command(epilog="Example: gateway schema > routes.schema.json")(schema.schema)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A path in Cyrillic must not end a command whose output goes to a file on a system that is not UTF-8.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(app(prog_name="gateway", standalone_mode=False))
    except _UsageError as error:
        if error.ctx is None or type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            # One line, as for every other mistake, in the place of click's four.
            command = error.ctx.command_path
            typer.echo(f"{command}: {error.format_message().rstrip('.')}; see {command} --help", err=True)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(INTERRUPTED)
