"""What a shell offers at the Tab key: routes, backends, shares and methods, from the routes file of the command line.

A Tab must never print an error over the line that is being typed: where the file is bad or missing, nothing is offered.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from gateway.change.change import ChangeError
from gateway.change.naming import find_route
from gateway.config.loader import load_file
from gateway.config.model import Config, RouteConfig
from gateway.config.problem import ConfigError
from gateway.config.shares import shares_text

Offer = tuple[str, str]

# A canary's usual way, in percent.
_STEPS: Final = (1, 5, 10, 25, 50, 75, 100)
_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def offered_routes(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Each route by the shortest word that means it alone, with where it goes."""
    config = _config(ctx)
    if config is None:
        return []
    offers = [(_word(config, route), shares_text(route.weights)) for route in config.routes]
    return [(_quoted(word), shares) for word, shares in offers if word.startswith(incomplete)]


def offered_backends(ctx: typer.Context, incomplete: str) -> list[Offer]:
    config = _config(ctx)
    names = config.backends if config is not None else ()
    return [(name, "") for name in names if name.startswith(incomplete)]


def offered_shares(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """``new=25`` and its like, for every backend but the default, which has what is left."""
    config = _config(ctx)
    if config is None:
        return []
    shares = [f"{name}={step}" for name in config.backends if name != config.default for step in _STEPS]
    return [(share, "") for share in shares if share.startswith(incomplete)]


def offered_methods(incomplete: str) -> list[Offer]:
    return [(method, "") for method in _METHODS if method.startswith(incomplete.upper())]


def offered_paths(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """The paths that are written out in the file; what stands for a parameter is for the user to choose."""
    config = _config(ctx)
    paths = sorted({route.path for route in config.routes if "{" not in route.path}) if config is not None else ()
    return [(path, "") for path in paths if path.startswith(incomplete)]


def _config(ctx: typer.Context) -> Config | None:
    given: dict[str, Any] = ctx.params
    path = given.get("routes_option") or given.get("routes") or os.environ.get("GATEWAY_ROUTES") or "routes.yaml"
    try:
        return load_file(Path(path)).config
    except ConfigError:
        return None


def _word(config: Config, route: RouteConfig) -> str:
    return next(_means(config, route, (route.name or route.path, route.path)), route.label)


def _means(config: Config, route: RouteConfig, words: tuple[str, ...]) -> Iterator[str]:
    for word in words:
        try:
            if config.routes[find_route(config, word)] is route:
                yield word
        except ChangeError:
            continue


def _quoted(word: str) -> str:
    if os.environ.get("_GATEWAY_COMPLETE") != "complete_bash":
        return word
    # bash puts what it is given on the line as it is, where the other shells quote it; and it takes a bare colon for
    # the end of a word, so that it would count the words of the line wrongly from then on.
    return word.replace(" ", "\\ ").replace(":", "\\:")
