"""Who is logged in: Flask-Login bound to the members table, with the types it lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar, cast

import flask_login
from flask import Flask, abort, flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.security import check_password_hash

from .extensions import db, login_manager
from .models import User
from .validation import LARGEST_ID

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

# A hash of nothing anyone knows, to spend the same time on an unknown address as on a wrong password.
_NOBODY = (
    "scrypt:32768:8:1$u7Yw0mQe3nXk5tRb$"
    "5d0f2c7b8a91e64d3f70b5c29e18a6d4470c93be2f6a15d8e07b34c9a1f2865e"
    "9b4de8071c35fa62d0e7914b86c2f53da8e16b07942cfd53860b1ea97f24c5d8"
)


def init_app(app: Flask, api_blueprints: Collection[str]) -> None:
    """Bind Flask-Login to the app. Without a login, API blueprints answer 401 and pages go to the login form."""

    def unauthorized() -> ResponseReturnValue:
        if request.blueprint in api_blueprints:
            abort(401)
        flash("Please log in first.", "info")
        return redirect(flask_login.login_url("auth.login", next_url=request.url))

    login_manager.init_app(app)
    # A cookie that comes from another address or browser stays logged in but is no longer "fresh". "strong" would log
    # out everyone whose phone changes from wireless to mobile.
    login_manager.session_protection = "basic"
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(unauthorized)


def _load(user_id: str) -> User | None:
    if not (user_id.isascii() and user_id.isdigit()) or int(user_id) > LARGEST_ID:
        return None
    return db.session.get(User, int(user_id))


def login_required(view: View) -> View:
    """Flask-Login's decorator: the view runs only for who is logged in."""
    return cast(View, flask_login.login_required(view))


def current_member() -> User | None:
    """Who makes this request; None without a login."""
    return cast(User, flask_login.current_user) if flask_login.current_user.is_authenticated else None


def authenticate(email: str, password: str) -> User | None:
    """The member with this address and password, or None; as slow for an unknown address as for a known one."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        check_password_hash(_NOBODY, password)
        return None
    return user if user.has_password(password) else None
