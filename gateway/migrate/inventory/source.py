"""Where a view comes from."""

from __future__ import annotations

import functools
import inspect
from typing import Any


def source_of(view: Any) -> str:
    """``shop.books:read_book`` for a function, or for the class of what is none; "" for nothing."""
    if view is None:
        return ""
    view = inspect.unwrap(view)
    while isinstance(view, functools.partial):
        view = view.func
    # What View.as_view() of Flask makes is a function that carries its class.
    view = getattr(view, "view_class", view)
    named = view if hasattr(view, "__qualname__") else type(view)
    return f"{named.__module__}:{named.__qualname__}"
