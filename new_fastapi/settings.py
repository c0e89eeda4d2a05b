"""Configuration from the environment: the variables the Flask app reads, for one login and one database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url

DEVELOPMENT_SECRET_KEY = "bookshop-development-key-not-for-production"  # noqa: S105
DEFAULT_DATABASE = Path(__file__).resolve().parent.parent / "var" / "bookshop.db"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``third_party_timeout`` is in seconds, to connect and again for each read; ``largest_body`` in bytes."""

    database_url: URL
    secret_key: str = field(default=DEVELOPMENT_SECRET_KEY, repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    secure_cookies: bool = False
    third_party_url: str = "http://127.0.0.1:8090"
    third_party_timeout: float = 2.0
    largest_body: int = 1024 * 1024

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Settings:
        """Raises sqlalchemy.exc.ArgumentError for a DATABASE_URL that is not a URL.

        BOOKSHOP_SECRET_KEY            signs the session cookie
        BOOKSHOP_SECRET_KEY_FALLBACKS  older keys, separated by commas, that are still believed
        BOOKSHOP_SECURE_COOKIES        1: the session cookie travels over https only
        DATABASE_URL                   sqlite:///... or postgresql://...
        THIRD_PARTY_URL                where the exchange rates come from
        """
        fallbacks = (key.strip() for key in env.get("BOOKSHOP_SECRET_KEY_FALLBACKS", "").split(","))
        return cls(
            database_url=database_url(env.get("DATABASE_URL", "")),
            secret_key=env.get("BOOKSHOP_SECRET_KEY") or DEVELOPMENT_SECRET_KEY,
            secret_key_fallbacks=tuple(filter(None, fallbacks)),
            secure_cookies=env.get("BOOKSHOP_SECURE_COOKIES") == "1",
            third_party_url=env.get("THIRD_PARTY_URL") or cls.third_party_url,
        )


def database_url(text: str) -> URL:
    """``text`` for the asynchronous drivers; empty text means the SQLite file beside the packages.

    A relative SQLite path is one under the working directory, as the Flask app takes it too.
    """
    if not text:
        return URL.create("sqlite+aiosqlite", database=str(DEFAULT_DATABASE))
    # SQLAlchemy dropped the name postgres:// that hosting providers still hand out.
    url = make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)
    backend = url.get_backend_name()
    if backend == "postgresql":
        # asyncpg knows libpq's sslmode by the name ssl.
        query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
        return url.set(drivername="postgresql+asyncpg", query=query)
    if backend == "sqlite":
        url = url.set(drivername="sqlite+aiosqlite")
        if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
            url = url.set(database=str(Path(url.database).absolute()))
    return url
