"""The `gateway` command: each subcommand is the function of its name in the file of its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from gateway.cli.exit_code import INTERRUPTED
from gateway.version import __version__

# click's, wherever this version of typer keeps it.
_UsageError: Any = typer.BadParameter.__base__

# What is shown below the help of each subcommand.
_EPILOGS: Final = {
    "init": "Example: gateway init --legacy 'shop:create_app()' --new shop_api:app",
    "coverage": "Example: gateway coverage --format markdown --fail-under 50",
    "lint": "Examples: gateway lint · gateway lint --select SG1,SG301 · gateway lint --json",
    "run": "Example: gateway run routes.yaml --port 8000 --workers 4",
    "check": "Example: gateway check routes.yaml --no-import",
    "routes": "Example: gateway routes --json",
    "explain": "Example: gateway explain GET '/books/7?page=2' -H 'X-Beta: 1'",
    "move": "Example: gateway move 'GET /books/{id}' new -m 'parity checked'",
    "split": "Example: gateway split /books new=25",
    "rollback": "Examples: gateway rollback · gateway rollback /books · gateway rollback --to 12",
    "history": "Example: gateway history -n 50",
    "diff": "Examples: gateway diff · gateway diff 11 12 · gateway diff 12 file",
    "status": "Examples: gateway status · gateway status --watch · gateway status --json",
    "schema": "Example: gateway schema > routes.schema.json",
}


class _Subcommands(Mapping[str, Any]):
    """By name, each imported when it is asked for: the start of one need not wait for what only another needs."""

    def __getitem__(self, name: str) -> Any:
        epilog = _EPILOGS[name]
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(epilog=epilog)(getattr(import_module(f"gateway.cli.{name}"), name))
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(_EPILOGS)

    def __len__(self) -> int:
        return len(_EPILOGS)


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": _Subcommands()})

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


app = typer.Typer(
    name="gateway",
    cls=_Group,
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
