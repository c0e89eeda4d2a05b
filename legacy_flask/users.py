"""/users: the members of the co-operative, and joining it."""

from __future__ import annotations

import re

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .api import find_or_404, page_json, page_of
from .extensions import db
from .models import User
from .validation import Fields, json_object

bp = Blueprint("users", __name__, url_prefix="/users")

# Enough to catch a slip of the pen. Whether an address exists, only a letter to it can tell.
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@bp.get("")
def list_users() -> ResponseReturnValue:
    page = page_of(select(User).order_by(User.id))
    return page_json("users", page, [user.as_json() for user in page.items])


@bp.post("")
def create_user() -> ResponseReturnValue:
    fields = Fields(json_object())
    name = fields.text("name", longest=80)
    email = fields.text("email", longest=254).lower()
    if email and not EMAIL.fullmatch(email):
        fields.errors.setdefault("email", "This is not an e-mail address.")
    password = fields.secret("password", shortest=8, longest=128)
    fields.check()

    user = User(name=name, email=email)
    user.set_password(password)
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        abort(409, "This e-mail address is already taken.")
    return user.as_private_json(), 201, {"Location": url_for(".read_user", user_id=user.id)}


@bp.get("/<int:user_id>")
def read_user(user_id: int) -> ResponseReturnValue:
    return find_or_404(User, user_id, "user").as_json()
