"""`gateway check`: is the file good, and can its apps be imported?"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from gateway.backends.importing import ImportProblem, import_app
from gateway.backends.search_path import look_beside
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, load_or_exit, print_json, refuse
from gateway.config.loader import Loaded
from gateway.config.model import Config
from gateway.config.problem import Problem
from gateway.dataplane.tracing import no_spans


def check(
    routes: RoutesFile = None,
    no_import: Annotated[bool, typer.Option("--no-import", help="Do not import the apps.")] = False,
    routes_option: RoutesOption = DEFAULT_FILE,
    as_json: AsJson = False,
) -> None:
    """Check a file and import its apps.

    Exits with 0, or prints every error with its line and exits with 2.
    """
    path = routes or routes_option
    loaded = load_or_exit(path, as_json)
    if not no_import:
        look_beside(path)
        problems = sorted(_imports(loaded))
        if problems:
            refuse(problems, as_json)
    if as_json:
        print_json({"ok": True, "problems": [], "digest": loaded.digest, **_counts(loaded.config)})
    else:
        typer.echo(f"{loaded.source} is good: {_summary(loaded.config)}")


def _imports(loaded: Loaded) -> Iterator[Problem]:
    for name, backend in loaded.config.backends.items():
        if backend.app is None:
            continue
        try:
            # What an app prints while it is imported is not the answer of this command.
            with contextlib.redirect_stdout(sys.stderr):
                import_app(backend.app)
        except ImportProblem as problem:
            yield loaded.problem(("backends", name, "app"), str(problem))
    tracing = loaded.config.tracing
    if tracing is not None and tracing.spans:
        try:
            importlib.import_module("gateway.telemetry.spans")
        except ImportError as error:
            yield no_spans(loaded, error)


def _counts(config: Config) -> dict[str, object]:
    splits = sum(1 for route in config.routes if sum(weight > 0 for _, weight in route.weights) > 1)
    return {
        "routes": len(config.routes),
        "splits": splits,
        "backends": list(config.backends),
        "default": config.default,
    }


def _summary(config: Config) -> str:
    counts = _counts(config)
    routes = "1 route" if counts["routes"] == 1 else f"{counts['routes']} routes"
    splits = f", {counts['splits']} of them split" if counts["splits"] else ""
    return f"{routes}{splits}; backends {', '.join(config.backends)}; everything else goes to {config.default}"
