"""/login and /logout: the pages."""

from __future__ import annotations

import flask_login
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from .forms import LoginForm
from .identity import authenticate, current_member

bp = Blueprint("auth", __name__)


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    target = local_path(request.args.get("next")) or url_for("catalogue.index")
    if current_member() is not None:
        return redirect(target)
    form = LoginForm()
    if form.validate_on_submit():
        member = authenticate(form.email.data, form.password.data)
        if member is not None:
            flask_login.login_user(member)
            session.permanent = form.remember.data
            flash(f"Welcome back, {member.name}.", "success")
            return redirect(target)
        form.password.errors = ["Wrong e-mail address or password."]
    return render_template("login.html", form=form)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    flask_login.logout_user()
    session.clear()
    flash("You are logged out.", "success")
    return redirect(url_for("catalogue.index"))


def local_path(target: str | None) -> str | None:
    """The target if it is a path of this site, else None, so that /login?next= cannot lead to another one.

    "//host" names a host; browsers read "\\" as "/" and drop tabs and line breaks wherever they stand.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(character < " " or character == "\x7f" for character in target):
        return None
    return target
