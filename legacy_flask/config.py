"""Configuration from the environment, with defaults that run on a fresh checkout.

The new app reads the same variables: that is what makes one login and one database of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, make_url

DEVELOPMENT_SECRET_KEY = "bookshop-development-key-not-for-production"  # noqa: S105
DEFAULT_DATABASE = Path(__file__).resolve().parent.parent / "var" / "bookshop.db"

MIB = 1024 * 1024


def from_environment(env: Mapping[str, str]) -> dict[str, object]:
    """Flask's configuration. Raises sqlalchemy.exc.ArgumentError for a DATABASE_URL that is not a URL.

    BOOKSHOP_SECRET_KEY            signs the session cookie
    BOOKSHOP_SECRET_KEY_FALLBACKS  older keys, separated by commas, that are still believed
    BOOKSHOP_SECURE_COOKIES        1: the session cookie travels over https only
    BOOKSHOP_TRUSTED_PROXIES       how many proxies in front set X-Forwarded-*; 0 believes none of it
    DATABASE_URL                   sqlite:///... or postgresql://...
    THIRD_PARTY_URL                where the exchange rates come from
    """
    url = database_url(env.get("DATABASE_URL", ""))
    fallbacks = [key.strip() for key in env.get("BOOKSHOP_SECRET_KEY_FALLBACKS", "").split(",") if key.strip()]
    return {
        "SECRET_KEY": env.get("BOOKSHOP_SECRET_KEY") or DEVELOPMENT_SECRET_KEY,
        "SECRET_KEY_FALLBACKS": fallbacks,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": env.get("BOOKSHOP_SECURE_COOKIES") == "1",
        "TRUSTED_PROXIES": int(env.get("BOOKSHOP_TRUSTED_PROXIES") or 0),
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(url),
        # Forms and JSON are small. The upload views raise the limit for themselves.
        "MAX_CONTENT_LENGTH": 1 * MIB,
        "UPLOAD_MAX_BYTES": 1024 * MIB,
        "THIRD_PARTY_URL": env.get("THIRD_PARTY_URL") or "http://127.0.0.1:8090",
        "THIRD_PARTY_TIMEOUT": 2.0,  # seconds, to connect and again for each read
    }


def database_url(text: str) -> URL:
    """The URL for this app's synchronous drivers; empty text means the SQLite file beside the packages.

    Driver names are replaced, so that one DATABASE_URL serves this app and an asynchronous one alike. A relative
    SQLite path is made absolute here: Flask-SQLAlchemy would look for it in the instance folder, SQLAlchemy alone
    in the working directory, and the two apps would each have their own database.
    """
    if not text:
        return URL.create("sqlite", database=str(DEFAULT_DATABASE))
    # SQLAlchemy dropped the name postgres:// that hosting providers still hand out.
    url = make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        url = url.set(drivername="sqlite")
        if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
            url = url.set(database=str(Path(url.database).absolute()))
    return url


def _engine_options(url: URL) -> dict[str, object]:
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            return {}  # Flask-SQLAlchemy shares one connection then; its pool takes no sizes
        return {"pool_size": 10, "max_overflow": 40}
    # A server may have dropped a connection that sat in the pool; ask before using it.
    return {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}
