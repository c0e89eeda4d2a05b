"""The Flask app's session, as a dependency.

The dependency has to be known when the routes are written; the keys are known when an app is made, and tests make
several. So the routes depend on the function here, which asks the app.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from gateway.migrate.flask_session import FlaskSession, Session
from gateway.migrate.session_cookie import SessionCookie

from .settings import Settings


def flask_session(settings: Settings) -> FlaskSession:
    return FlaskSession(
        secret_key=settings.secret_key,
        fallbacks=settings.secret_key_fallbacks,
        cookie=SessionCookie(secure=settings.secure_cookies, samesite="Lax"),
    )


async def current_session(connection: HTTPConnection) -> Session:
    session: FlaskSession = connection.app.state.session
    return await session(connection)


CurrentSession = Annotated[Session, Depends(current_session)]
