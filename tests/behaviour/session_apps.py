"""The same small shop twice, on Flask with Flask-Login, Flask-WTF and Flask-Session, and on FastAPI with what
``gateway.migrate`` has in their place. Each answer says which of the two has given it."""

# No annotations from the future: FastAPI could not find what is local to a factory.
import os
from typing import Annotated, Any

import flask
from cachelib.file import FileSystemCache
from fastapi import Depends, FastAPI, Request
from flask_login import LoginManager, UserMixin, current_user, fresh_login_required, login_required, login_user
from flask_login import logout_user as log_user_out
from flask_session import Session as FlaskSessionExtension
from flask_wtf.csrf import CSRFProtect, generate_csrf
from redis import Redis

from gateway.migrate.flask_csrf import FlaskCsrf
from gateway.migrate.flask_login import FlaskLogin, FlaskLoginMiddleware
from gateway.migrate.flask_session import FlaskSession, FlaskSessionMiddleware, Session
from gateway.migrate.server_session import ServerSession
from gateway.migrate.shared_session import SharedSession


class User(UserMixin):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        self.id = name


def _user(name: str) -> User | None:
    return User(name) if name in ("ann", "bob é") else None


def config() -> dict[str, Any]:
    """By ``SHOP_SESSIONS``: in the cookie, in a folder of cachelib's, or in Redis."""
    kind, _, place = os.environ.get("SHOP_SESSIONS", "cookie").partition("=")
    common: dict[str, Any] = {
        "SECRET_KEY": os.environ.get("SHOP_KEY", "shop-key"),
        "SECRET_KEY_FALLBACKS": [old] if (old := os.environ.get("SHOP_OLD_KEY")) else None,
        "SESSION_COOKIE_NAME": "shop",
        "SESSION_COOKIE_SAMESITE": "Lax",
    }
    if kind == "cachelib":
        return {**common, "SESSION_TYPE": "cachelib", "SESSION_CACHELIB": FileSystemCache(place)}
    if kind == "redis":
        return {**common, "SESSION_TYPE": "redis", "SESSION_REDIS": Redis(unix_socket_path=place)}
    return common


def legacy() -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(config())
    if "SESSION_TYPE" in app.config:
        FlaskSessionExtension(app)
    CSRFProtect(app)
    login = LoginManager(app)
    login.user_loader(_user)

    @app.get("/token")
    def token() -> dict[str, str]:
        return {"by": "legacy", "token": generate_csrf()}

    @app.post("/login")
    def log_in() -> dict[str, str]:
        login_user(User(flask.request.form["name"]), remember="remember" in flask.request.form)
        return {"by": "legacy"}

    @app.post("/logout")
    def log_out() -> dict[str, str]:
        log_user_out()
        return {"by": "legacy"}

    @app.get("/me")
    @login_required  # type: ignore[untyped-decorator]
    def me() -> dict[str, str]:
        return {"by": "legacy", "name": current_user.id}

    @app.get("/password")
    @fresh_login_required  # type: ignore[untyped-decorator]
    def password() -> dict[str, str]:
        return {"by": "legacy", "name": current_user.id}

    @app.post("/cart/<item>")
    def add(item: str) -> dict[str, Any]:
        flask.session["cart"] = [*flask.session.get("cart", []), item]
        return {"by": "legacy", "cart": flask.session["cart"]}

    return app


def new() -> FastAPI:
    settings = config()
    stored = "SESSION_TYPE" in settings
    session: SharedSession = ServerSession.from_config(settings) if stored else FlaskSession.from_config(settings)

    async def user_of(name: str) -> User | None:
        return _user(name)

    login: FlaskLogin[User] = FlaskLogin.from_config(settings, session=session, load_user=user_of)
    csrf = FlaskCsrf.from_config(settings, session=session)
    app = FastAPI(dependencies=[Depends(csrf)])
    app.add_middleware(FlaskLoginMiddleware, login=login)
    app.add_middleware(FlaskSessionMiddleware, session=session)

    @app.get("/token")
    async def token(request: Request) -> dict[str, str]:
        return {"by": "new", "token": await csrf.token(request)}

    @app.post("/login")
    async def log_in(request: Request) -> dict[str, str]:
        form = await request.form()
        await login.log_in(request, form["name"], remember="remember" in form)
        return {"by": "new"}

    @app.post("/logout")
    async def log_out(request: Request) -> dict[str, str]:
        await login.log_out(request)
        return {"by": "new"}

    @app.get("/me")
    async def me(user: Annotated[User, Depends(login.required)]) -> dict[str, str]:
        return {"by": "new", "name": user.id}

    @app.get("/password")
    async def password(user: Annotated[User, Depends(login.fresh)]) -> dict[str, str]:
        return {"by": "new", "name": user.id}

    @app.post("/cart/{item}")
    async def add(item: str, session: Annotated[Session, Depends(session)]) -> dict[str, Any]:
        session["cart"] = [*session.get("cart", []), item]
        return {"by": "new", "cart": session["cart"]}

    return app
