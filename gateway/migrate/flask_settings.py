"""What a Flask app's configuration says of its session, with Flask's defaults for what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from .session_cookie import SessionCookie

Key = str | bytes

_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "APPLICATION_ROOT": "/",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        "SECRET_KEY": None,
        "SECRET_KEY_FALLBACKS": None,
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_NAME": "session",
        "SESSION_COOKIE_PARTITIONED": False,
        "SESSION_COOKIE_PATH": None,
        "SESSION_COOKIE_SAMESITE": None,
        "SESSION_COOKIE_SECURE": False,
        "SESSION_REFRESH_EACH_REQUEST": True,
    }
)


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config``, complete. Lifetimes given as seconds are timedeltas then, as ``app.permanent_session_lifetime``."""
    complete = {**_DEFAULTS, **config}
    complete["PERMANENT_SESSION_LIFETIME"] = duration(complete["PERMANENT_SESSION_LIFETIME"])
    return complete


def duration(value: timedelta | float) -> timedelta:
    """A number counts seconds, as it does to Flask."""
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


def cookie_settings(config: Mapping[str, Any]) -> SessionCookie:
    """The session's cookie, by complete settings."""
    return SessionCookie(
        config["SESSION_COOKIE_NAME"],
        path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
        domain=config["SESSION_COOKIE_DOMAIN"],
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=config["SESSION_COOKIE_HTTPONLY"],
        samesite=config["SESSION_COOKIE_SAMESITE"],
        partitioned=config["SESSION_COOKIE_PARTITIONED"],
    )


def bytes_of(key: Key) -> bytes:
    return key.encode() if isinstance(key, str) else key
