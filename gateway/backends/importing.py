"""From an import string to the app it names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import traceback
from difflib import get_close_matches
from typing import Any, Literal


class ImportProblem(Exception):
    """The app cannot be had. The message is one line, for the person who wrote the import string."""


def import_app(spec: str) -> Any:
    """The app that ``module:attribute`` names, or that the factory ``module:factory()`` makes.

    Raises ImportProblem, with a message of its own for each way in which this fails.
    """
    module_name, _, attribute = spec.partition(":")
    calls = attribute.endswith("()")
    attribute = attribute.removesuffix("()")
    found: Any = _import_module(module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ImportProblem(_no_attribute(module_name, attribute, part, found)) from None
    if not callable(found):
        kind = type(found).__name__
        what = "a factory" if calls else "an app"
        raise ImportProblem(f"'{module_name}:{attribute}' is not {what}: it is of type {kind} and cannot be called")
    return _call_factory(found, spec) if calls else found


def interface_of(app: Any) -> Literal["asgi", "wsgi"]:
    """Which of the two protocols ``app`` speaks: an ASGI app is called as a coroutine, a WSGI app is not."""
    call = getattr(app, "__call__", None)  # noqa: B004 - the bound method itself is looked at
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call):
        return "asgi"
    # functools.partial, and wrappers that keep the signature of what they wrap: scope, receive, send.
    try:
        parameters = [p.name for p in inspect.signature(app).parameters.values()]
    except (TypeError, ValueError):
        return "wsgi"
    return "asgi" if parameters[:3] == ["scope", "receive", "send"] else "wsgi"


def _import_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(missing + "."):
            raise ImportProblem(
                f"no module named '{missing}'; it is looked for beside the routes file and in the current folder"
            ) from None
        raise ImportProblem(f"module '{name}' needs '{missing}', which is not installed") from None
    except (Exception, SystemExit) as error:
        raise ImportProblem(f"module '{name}' fails when imported: {_in_short(error)}") from error


def _no_attribute(module: str, attribute: str, part: str, owner: Any) -> str:
    message = f"module '{module}' has no attribute '{attribute}'"
    if part != attribute:
        message += f" (no '{part}')"
    near = get_close_matches(part, [name for name in dir(owner) if not name.startswith("_")], n=1)
    return f"{message}; did you mean '{near[0]}'?" if near else message


def _call_factory(factory: Any, spec: str) -> Any:
    try:
        app = factory()
    except (Exception, SystemExit) as error:
        raise ImportProblem(f"the factory '{spec}' raised {_in_short(error)}") from error
    if inspect.iscoroutine(app):
        app.close()
        raise ImportProblem(f"the factory '{spec}' is a coroutine function; it must return the app itself")
    if not callable(app):
        raise ImportProblem(f"the factory '{spec}' returned {type(app).__name__}, which is not an app")
    return app


def _in_short(error: BaseException) -> str:
    """One line: the kind of the error, its text, and the place in the user's code that raised it."""
    text = str(error).strip().splitlines()
    kind = type(error).__name__
    line = f"{kind}: {text[0]}" if text else kind
    if isinstance(error, SyntaxError):
        return line
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    return f"{line} ({frames[-1].filename}:{frames[-1].lineno})" if len(frames) > 1 else line
