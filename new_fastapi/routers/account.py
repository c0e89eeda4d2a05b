"""/me and /sessions: logging in and out, for both apps at once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from .. import identity
from ..database import Database
from ..faithful.errors import Problem
from ..faithful.requests import FlaskRoute
from ..identity import Member
from ..schemas import Login, Me
from ..session import CurrentSession

router = APIRouter(tags=["account"], route_class=FlaskRoute)


@router.get("/me", response_model=Me)
async def me(member: Member) -> Any:
    return member


@router.post("/sessions", response_model=Me, status_code=201)
async def log_in(data: Login, session: CurrentSession, request: Request, db: Database) -> Any:
    user = await identity.authenticate(db, data.email, data.password)
    if user is None:
        raise Problem(401, "Wrong e-mail address or password.")
    identity.log_in(session, request, user, remember=data.remember)
    return user


@router.delete("/sessions", status_code=204)
async def log_out(session: CurrentSession) -> None:
    identity.log_out(session)
