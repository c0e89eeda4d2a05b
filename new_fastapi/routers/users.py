"""/users: the members of the co-operative, and joining it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .. import passwords
from ..database import Database
from ..faithful.errors import Problem
from ..faithful.requests import FlaskRoute
from ..models import LARGEST_ID, User
from ..paging import PageAsked
from ..schemas import Me, UserIn, UserOut, UserPage

router = APIRouter(prefix="/users", tags=["users"], route_class=FlaskRoute)


@router.get("", response_model=UserPage)
async def list_users(page: PageAsked, db: Database) -> Any:
    return await page.of(select(User).order_by(User.id), db, "users")


@router.post("", response_model=Me, status_code=201)
async def create_user(data: UserIn, db: Database, request: Request, response: Response) -> Any:
    user = User(name=data.name, email=data.email, password_hash=await passwords.hashed(data.password))
    db.add(user)
    try:
        await db.commit()
    except IntegrityError:
        raise Problem(409, "This e-mail address is already taken.") from None
    response.headers["Location"] = request.url_for("read_user", user_id=user.id).path
    return user


@router.get("/{user_id:int}", response_model=UserOut)
async def read_user(user_id: int, db: Database) -> Any:
    user = await db.get(User, user_id) if user_id <= LARGEST_ID else None
    if user is None:
        raise Problem(404, f"No user has the id {user_id}.")
    return user
