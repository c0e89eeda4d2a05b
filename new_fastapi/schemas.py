"""What clients send and what they get."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from .faithful.fields import (
    Choice,
    OptionalText,
    OptionalWhole,
    Price,
    Secret,
    Text,
    Whole,
)
from .faithful.json import Amount, HttpDate
from .models import CONDITIONS, LARGEST_ID

# Enough to catch a slip of the pen. Whether an address exists, only a letter to it can tell.
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _thirteen_digits(isbn: str | None) -> str | None:
    if isbn is not None and not (len(isbn) == 13 and isbn.isascii() and isbn.isdigit()):
        raise PydanticCustomError("isbn", "This must be 13 digits.")
    return isbn


def _email(address: str) -> str:
    address = address.lower()
    if not EMAIL.fullmatch(address):
        raise PydanticCustomError("email", "This is not an e-mail address.")
    return address


class BookIn(BaseModel):
    """A whole book: what is left out becomes null."""

    title: Annotated[str, Text(200)]
    author: Annotated[str, Text(120)]
    isbn: Annotated[str | None, AfterValidator(_thirteen_digits), OptionalText(13)] = None
    year: Annotated[int | None, OptionalWhole(-3000, 2100)] = None  # negative: BC
    pages: Annotated[int | None, OptionalWhole(1, 20_000)] = None


class UserIn(BaseModel):
    name: Annotated[str, Text(80)]
    email: Annotated[str, AfterValidator(_email), Text(254)]
    password: Annotated[str, Secret(128, shortest=8)]


class ItemIn(BaseModel):
    book_id: Annotated[int, Whole(1, LARGEST_ID)]
    condition: Annotated[str, Choice(CONDITIONS)]
    price: Annotated[Amount, Price()]
    note: Annotated[str | None, OptionalText(500)] = None


class Login(BaseModel):
    email: Annotated[str, Text(254)]
    password: Annotated[str, Secret(128)]
    # Anything but true is false, as it has always been.
    remember: Annotated[bool, BeforeValidator(lambda value: value is True)] = False


class FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class BookOut(FromRow):
    id: int
    title: str
    author: str
    isbn: str | None
    year: int | None
    pages: int | None
    created_at: HttpDate


class UserOut(FromRow):
    """What everyone may see of a member; the e-mail address is not among it."""

    id: int
    name: str
    created_at: HttpDate


class Me(UserOut):
    """What members see of themselves."""

    email: str


class ItemOut(FromRow):
    id: int
    book_id: int
    seller_id: int
    condition: str
    price: Amount
    note: str
    created_at: HttpDate


class ProductOut(FromRow):
    id: int
    sku: str
    name: str
    category: str
    price: Amount
    stock: int
    cover: str
    book_id: int | None


class Page(FromRow):
    """Where in the whole list these rows are."""

    page: int
    per_page: int
    pages: int
    total: int


class BookPage(Page):
    books: list[BookOut]


class UserPage(Page):
    users: list[UserOut]


class ItemPage(Page):
    items: list[ItemOut]


class ProductPage(Page):
    products: list[ProductOut]


class Rates(BaseModel):
    """Exchange rates, passed on as the third party gave them."""

    base: Any
    date: Any
    rates: Any


class Problem(BaseModel):
    """How this API says no."""

    error: str
    status: int
    fields: dict[str, str] | None = None
