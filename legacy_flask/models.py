"""The bookshop's schema. Both apps use it; while the migration lasts, this is where it is changed.

Two conventions that whoever shares the tables must keep:

- Money is stored as whole cents in an INTEGER column (`price_cents`) and is a `Decimal` with two places in
  Python. SQLite has no decimal type, and a float would round.
- Times are stored as UTC without a zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, Dialect, ForeignKey, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import Base, db

if TYPE_CHECKING:
    Model = Base  # db.Model is built from Base at run time, where a type checker cannot follow
else:
    Model = db.Model

CATEGORIES = ("fiction", "classics", "science", "history", "children", "stationery")
CONDITIONS = ("new", "fine", "good", "worn")


def utc_now() -> datetime:
    """The time now, UTC, without a zone: what the tables hold."""
    return datetime.now(UTC).replace(tzinfo=None)


class Money(TypeDecorator[Decimal]):
    """An amount as `Decimal("12.50")` here and 1250 in the table."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.scaleb(2).to_integral_exact())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)


class User(UserMixin, Model):  # type: ignore[misc]  # Flask-Login has no types
    """A member of the co-operative. Every member may log in, edit the catalogue and offer second-hand copies."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # always lower case
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)

    def as_json(self) -> dict[str, object]:
        """What everyone may see of a member; the e-mail address is not among it."""
        return {"id": self.id, "name": self.name, "created_at": self.created_at}

    def as_private_json(self) -> dict[str, object]:
        """What members see of themselves."""
        return {**self.as_json(), "email": self.email}


class Book(Model):
    """A title, in print or not. What the shop sells of it are products and items."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), index=True)
    author: Mapped[str] = mapped_column(String(120), index=True)
    isbn: Mapped[str | None] = mapped_column(String(13), unique=True)
    year: Mapped[int | None]  # negative: BC
    pages: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "title": self.title,
            "author": self.author,
            "isbn": self.isbn,
            "year": self.year,
            "pages": self.pages,
            "created_at": self.created_at,
        }


class Product(Model):
    """Something new on the shelf with a price: mostly books, also notebooks and pens."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price"),
        CheckConstraint("stock >= 0", name="stock"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    category: Mapped[str] = mapped_column(String(20), index=True)  # one of CATEGORIES
    price: Mapped[Decimal] = mapped_column("price_cents", Money)
    stock: Mapped[int] = mapped_column(default=0)
    description: Mapped[str] = mapped_column(Text, default="")
    cover: Mapped[str] = mapped_column(String(7), default="#5b6b7a")  # colour of the drawn cover, #rrggbb
    book_id: Mapped[int | None] = mapped_column(ForeignKey("books.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    book: Mapped[Book | None] = relationship()

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "sku": self.sku,
            "name": self.name,
            "category": self.category,
            "price": self.price,
            "stock": self.stock,
            "cover": self.cover,
            "book_id": self.book_id,
        }


class Item(Model):
    """One second-hand copy of a book, offered by a member. A book with copies on offer cannot be deleted."""

    __tablename__ = "items"
    __table_args__ = (CheckConstraint("price_cents > 0", name="price"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    condition: Mapped[str] = mapped_column(String(10))  # one of CONDITIONS
    price: Mapped[Decimal] = mapped_column("price_cents", Money)
    note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    book: Mapped[Book] = relationship()
    seller: Mapped[User] = relationship()

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "book_id": self.book_id,
            "seller_id": self.seller_id,
            "condition": self.condition,
            "price": self.price,
            "note": self.note,
            "created_at": self.created_at,
        }


class Order(Model):
    """What a member bought at once."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    ordered_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship()
    lines: Mapped[list[OrderLine]] = relationship(back_populates="order")


class OrderLine(Model):
    """One product in an order, at the price of that day."""

    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column("unit_price_cents", Money)

    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()


class Message(Model):
    """A line of the members' chat. The new app writes it; the table is here because the schema is."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
