"""/books: titles, in print or not. Everyone may read, members may write."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Database
from ..faithful.errors import Problem
from ..faithful.requests import FlaskRoute
from ..identity import Member
from ..models import LARGEST_ID, Book
from ..paging import PageAsked
from ..schemas import BookIn, BookOut, BookPage

router = APIRouter(prefix="/books", tags=["books"], route_class=FlaskRoute)


async def book_of_path(book_id: int, db: Database) -> Book:
    book = await db.get(Book, book_id) if book_id <= LARGEST_ID else None
    if book is None:
        raise Problem(404, f"No book has the id {book_id}.")
    return book


BookOfPath = Annotated[Book, Depends(book_of_path)]


@router.get("", response_model=BookPage)
async def list_books(page: PageAsked, db: Database) -> Any:
    return await page.of(select(Book).order_by(Book.id), db, "books")


@router.post("", response_model=BookOut, status_code=201)
async def create_book(member: Member, data: BookIn, db: Database, request: Request, response: Response) -> Any:
    book = Book(**data.model_dump())
    db.add(book)
    await _commit(db)
    response.headers["Location"] = request.url_for("read_book", book_id=book.id).path
    return book


@router.get("/{book_id:int}", response_model=BookOut)
async def read_book(book: BookOfPath) -> Any:
    return book


@router.put("/{book_id:int}", response_model=BookOut)
async def replace_book(member: Member, book: BookOfPath, data: BookIn, db: Database) -> Any:
    for name, value in data:
        setattr(book, name, value)
    await _commit(db)
    return book


@router.delete("/{book_id:int}", status_code=204)
async def delete_book(member: Member, book: BookOfPath, db: Database) -> None:
    await db.delete(book)
    try:
        await db.commit()
    except IntegrityError:
        # Asking first would leave a gap in which someone offers a copy; the foreign key has no such gap.
        raise Problem(409, "Second-hand copies of this book are on offer.") from None


async def _commit(db: AsyncSession) -> None:
    try:
        await db.commit()
    except IntegrityError:
        raise Problem(409, "There is a book with this ISBN already.") from None
