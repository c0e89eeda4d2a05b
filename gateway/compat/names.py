"""The names under ``compat:`` and what each stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, get_args

from starlette.types import ASGIApp

from gateway.compat.flask_json import FlaskJson
from gateway.compat.head import Head
from gateway.compat.html_errors import HtmlErrors
from gateway.compat.int404 import Int404
from gateway.compat.options import Options
from gateway.compat.slashes import Slashes

Compat = Literal["head", "options", "slashes", "int404", "errors", "json"]
NAMES: Final[tuple[Compat, ...]] = get_args(Compat)

# From the app outwards: an error page is made of what the others have decided.
_WRAPPERS: Final[dict[str, Callable[[ASGIApp], ASGIApp]]] = {
    "json": FlaskJson,
    "int404": Int404,
    "slashes": Slashes,
    "options": Options,
    "head": Head,
    "errors": HtmlErrors,
}


def compatible(app: ASGIApp, names: Iterable[str]) -> ASGIApp:
    """``app`` with what is named put around it, in the one order that makes sense."""
    wanted = frozenset(names)
    for name, wrapper in _WRAPPERS.items():
        if name in wanted:
            app = wrapper(app)
    return app
