"""/me and /sessions: logging in and out without a form, over the same session cookie as the pages use."""

from __future__ import annotations

import flask_login
from flask import Blueprint, abort, session
from flask.typing import ResponseReturnValue

from .identity import authenticate, current_member
from .validation import Fields, json_object

bp = Blueprint("account", __name__)


@bp.get("/me")
def me() -> ResponseReturnValue:
    member = current_member()
    if member is None:
        abort(401)
    return member.as_private_json()


@bp.post("/sessions")
def log_in() -> ResponseReturnValue:
    body = json_object()
    fields = Fields(body)
    email = fields.text("email", longest=254)
    password = fields.secret("password", longest=128)
    fields.check()

    member = authenticate(email, password)
    if member is None:
        abort(401, "Wrong e-mail address or password.")
    flask_login.login_user(member)
    session.permanent = body.get("remember") is True
    return member.as_private_json(), 201


@bp.delete("/sessions")
def log_out() -> ResponseReturnValue:
    flask_login.logout_user()
    session.clear()
    return "", 204
