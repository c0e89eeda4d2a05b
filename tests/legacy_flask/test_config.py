from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from legacy_flask.config import DEFAULT_DATABASE, DEVELOPMENT_SECRET_KEY, database_url, from_environment


def test_defaults() -> None:
    config = from_environment({})
    assert config["SECRET_KEY"] == DEVELOPMENT_SECRET_KEY
    assert config["SECRET_KEY_FALLBACKS"] == []
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert config["SESSION_COOKIE_SECURE"] is False
    assert config["TRUSTED_PROXIES"] == 0
    assert config["THIRD_PARTY_URL"] == "http://127.0.0.1:8090"
    assert str(config["SQLALCHEMY_DATABASE_URI"]) == f"sqlite:///{DEFAULT_DATABASE}"


def test_the_default_database_is_beside_the_packages() -> None:
    assert Path(__file__).parents[2] / "var" / "bookshop.db" == DEFAULT_DATABASE


def test_environment() -> None:
    config = from_environment(
        {
            "BOOKSHOP_SECRET_KEY": "now",
            "BOOKSHOP_SECRET_KEY_FALLBACKS": "before, long before,",
            "BOOKSHOP_SECURE_COOKIES": "1",
            "BOOKSHOP_TRUSTED_PROXIES": "2",
            "THIRD_PARTY_URL": "http://127.0.0.1:1",
        }
    )
    assert config["SECRET_KEY"] == "now"
    assert config["SECRET_KEY_FALLBACKS"] == ["before", "long before"]
    assert config["SESSION_COOKIE_SECURE"] is True
    assert config["TRUSTED_PROXIES"] == 2
    assert config["THIRD_PARTY_URL"] == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@db/shop", "postgresql+psycopg://u:p@db/shop"),
        ("postgresql://u:p@db/shop?sslmode=require", "postgresql+psycopg://u:p@db/shop?sslmode=require"),
        ("postgresql+asyncpg://u:p@db/shop", "postgresql+psycopg://u:p@db/shop"),
        ("sqlite:////data/shop.db", "sqlite:////data/shop.db"),
        ("sqlite+aiosqlite:////data/shop.db", "sqlite:////data/shop.db"),
        ("sqlite:///shop.db", f"sqlite:///{os.getcwd()}/shop.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("mysql://u@db/shop", "mysql://u@db/shop"),
    ],
)
def test_database_url(given: str, used: str) -> None:
    assert database_url(given) == make_url(used)


def test_not_a_url() -> None:
    with pytest.raises(ArgumentError):
        database_url("shop.db")
