"""/books: titles, in print or not. Everyone may read, members may write."""

from __future__ import annotations

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .api import find_or_404, page_json, page_of
from .extensions import db
from .identity import login_required
from .models import Book
from .validation import Fields, json_object

bp = Blueprint("books", __name__, url_prefix="/books")


@bp.get("")
def list_books() -> ResponseReturnValue:
    page = page_of(select(Book).order_by(Book.id))
    return page_json("books", page, [book.as_json() for book in page.items])


@bp.post("")
@login_required
def create_book() -> ResponseReturnValue:
    book = Book()
    _fill(book)
    db.session.add(book)
    _commit()
    return book.as_json(), 201, {"Location": url_for(".read_book", book_id=book.id)}


@bp.get("/<int:book_id>")
def read_book(book_id: int) -> ResponseReturnValue:
    return find_or_404(Book, book_id, "book").as_json()


@bp.put("/<int:book_id>")
@login_required
def replace_book(book_id: int) -> ResponseReturnValue:
    book = find_or_404(Book, book_id, "book")
    _fill(book)
    _commit()
    return book.as_json()


@bp.delete("/<int:book_id>")
@login_required
def delete_book(book_id: int) -> ResponseReturnValue:
    db.session.delete(find_or_404(Book, book_id, "book"))
    try:
        db.session.commit()
    except IntegrityError:
        # Asking first would leave a gap in which someone offers a copy; the foreign key has no such gap.
        db.session.rollback()
        abort(409, "Second-hand copies of this book are on offer.")
    return "", 204


def _fill(book: Book) -> None:
    """Set every field from the body; what the body leaves out becomes null. Raises InvalidData."""
    fields = Fields(json_object())
    title = fields.text("title", longest=200)
    author = fields.text("author", longest=120)
    isbn = fields.optional_text("isbn", longest=13)
    if isbn is not None and not (len(isbn) == 13 and isbn.isascii() and isbn.isdigit()):
        fields.errors["isbn"] = "This must be 13 digits."
    year = fields.optional_whole("year", -3000, 2100)
    pages = fields.optional_whole("pages", 1, 20_000)
    fields.check()
    book.title, book.author, book.isbn, book.year, book.pages = title, author, isbn, year, pages


def _commit() -> None:
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        abort(409, "There is a book with this ISBN already.")
