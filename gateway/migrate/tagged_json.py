"""The JSON inside Flask's session cookie: plain JSON, with types that JSON lacks marked by a tag.

A tagged value is an object with one key, the tag, which starts with a space: ``(1, 2)`` is ``{" t":[1,2]}``. The
format is that of ``flask.json.tag.TaggedJSONSerializer``, byte for byte. It is written anew here, on the standard
library, because an app that has been moved must go on reading its users' cookies after Flask is uninstalled.
"""

from __future__ import annotations

import dataclasses
import email.utils
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

try:
    from markupsafe import Markup
except ImportError:  # it came with Flask's Jinja2 and may have left with it

    class Markup(str):  # type: ignore[no-redef]
        """Text that is HTML already. Its own type, so that writing it back keeps the tag."""

        __slots__ = ()

        def __html__(self) -> str:
            return str(self)


def dumps(value: Any) -> str:
    """The text Flask would sign for ``value``.

    Times lose their microseconds and naive ones are taken as UTC, as in Flask. Raises TypeError for what neither
    JSON nor a tag can hold.
    """
    # Flask's JSON provider sorts and escapes; without both, the same session would give two different cookies.
    return json.dumps(_tag(value), default=_untagged, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def loads(text: str | bytes) -> Any:
    """The value of ``text``. Raises ValueError, or TypeError for a tag around a value of the wrong type."""
    return _untag(json.loads(text))


def http_date(value: date) -> str:
    """``value`` as in HTTP headers, ``Sun, 06 Nov 1994 08:49:37 GMT``. A plain date is its midnight, in UTC."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(), tzinfo=UTC)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    else:
        value = value.astimezone(UTC)
    return email.utils.format_datetime(value, usegmt=True)


def _tag(value: Any) -> Any:
    # The order is Flask's and it matters: a list with an __html__ method is a list.
    if isinstance(value, dict):
        if len(value) == 1 and (key := next(iter(value))) in _TO_PYTHON:
            # A user's own {" t": ...} must not come back as a tuple: the key is marked by two underscores.
            return {" di": {f"{key}__": _tag(value[key])}}
        return {key: _tag(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {" t": [_tag(item) for item in value]}
    if isinstance(value, list):
        return [_tag(item) for item in value]
    if isinstance(value, bytes):
        return {" b": b64encode(value).decode("ascii")}
    if callable(html := getattr(value, "__html__", None)):
        return {" m": str(html())}
    if isinstance(value, UUID):
        return {" u": value.hex}
    if isinstance(value, datetime):
        return {" d": http_date(value)}
    return value


def _untagged(value: Any) -> Any:
    """What Flask's JSON provider makes of types that have no tag. They come back as text or as a dict."""
    if isinstance(value, date):
        return http_date(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"a session cannot hold {type(value).__name__!r}")


def _untag(value: Any) -> Any:
    if isinstance(value, list):
        return [_untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _untag(item) for key, item in value.items()}
    if len(value) == 1:
        [(key, item)] = value.items()
        if key in _TO_PYTHON:
            return _TO_PYTHON[key](item)
    return value


def _own_key(value: dict[str, Any]) -> dict[str, Any]:
    key = next(iter(value))
    return {key[:-2]: value[key]}


def _datetime(text: str) -> datetime | None:
    # None where Flask gives None: what cannot be read as a date.
    try:
        value = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


_TO_PYTHON: dict[Any, Callable[[Any], Any]] = {
    " di": _own_key,
    " t": tuple,
    " b": b64decode,
    " m": Markup,
    " u": UUID,
    " d": _datetime,
}
