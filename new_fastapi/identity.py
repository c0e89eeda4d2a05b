"""Who is logged in: Flask-Login's keys in Flask's session, written and believed as Flask-Login does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from gateway.migrate.flask_login import identifier
from gateway.migrate.flask_session import Session

from . import passwords
from .database import Database
from .faithful.errors import Problem
from .models import LARGEST_ID, User
from .session import CurrentSession

# A hash of nothing anyone knows, to spend the same time on an unknown address as on a wrong password.
_NOBODY = f"{passwords.SCRYPT}$u7Yw0mQe3nXk5tRb${'0' * 128}"


async def authenticate(db: AsyncSession, email: str, password: str) -> User | None:
    """The member with this address and password, or None; as slow for an unknown address as for a known one."""
    user = await db.scalar(select(User).where(User.email == email.strip().lower()))
    right = await passwords.matches(user.password_hash if user else _NOBODY, password)
    return user if right else None


def log_in(session: Session, connection: HTTPConnection, user: User, *, remember: bool) -> None:
    """flask_login.login_user. With ``remember`` the cookie outlives the browser's window."""
    session["_user_id"] = str(user.id)
    session["_fresh"] = True
    session["_id"] = identifier(connection)
    session.permanent = remember


def log_out(session: Session) -> None:
    """Forgets the session whole, as the Flask app does."""
    session.clear()


async def visitor(connection: HTTPConnection, session: CurrentSession, db: Database) -> User | None:
    """Who makes this request; None without a login."""
    if connection.scope["type"] == "http":
        _notice_a_moved_session(session, connection)
    return await member_of(session, db)


async def member_of(session: Session, db: AsyncSession) -> User | None:
    """The member that the session names."""
    user_id = session.get("_user_id")
    if not isinstance(user_id, str) or not (user_id.isascii() and user_id.isdigit()) or int(user_id) > LARGEST_ID:
        return None
    return await db.get(User, int(user_id))


async def member(visitor: Annotated[User | None, Depends(visitor)]) -> User:
    """Who makes this request. Raises Problem 401 without a login."""
    if visitor is None:
        raise Problem(401)
    return visitor


Member = Annotated[User, Depends(member)]


def _notice_a_moved_session(session: Session, connection: HTTPConnection) -> None:
    """Flask-Login's "basic" protection: a session from another address or browser is believed, but no longer fresh.

    It looks at every session that is not empty, also of visitors who never logged in. Doing the same keeps `_fresh`
    from flipping as a visitor goes from one app to the other.
    """
    if session and session.get("_id") != identifier(connection) and session.get("_fresh") is not False:
        session["_fresh"] = False
