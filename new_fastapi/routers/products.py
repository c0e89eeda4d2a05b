"""/products/search: the catalogue for scripts and for the search box of the shop's partners."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from sqlalchemy import or_, select

from ..database import Database
from ..faithful.fields import OptionalPrice
from ..faithful.requests import FlaskRoute
from ..models import Book, Product
from ..paging import PageAsked
from ..schemas import ProductPage

router = APIRouter(prefix="/products", tags=["products"], route_class=FlaskRoute)

YES = frozenset({"1", "true", "yes", "on"})

# PostgreSQL refuses NUL in text. Nothing in the catalogue has one, so leaving it out finds the same.
without_nul = BeforeValidator(lambda value: value.replace("\0", "") if isinstance(value, str) else value)

Word = Annotated[str, without_nul, Query()]
Bound = Annotated[Decimal | None, OptionalPrice(lowest=Decimal(0)), without_nul, Query()]


@router.get("/search", response_model=ProductPage)
async def search(
    page: PageAsked,
    db: Database,
    q: Word = "",
    category: Word = "",
    min_price: Bound = None,
    max_price: Bound = None,
    in_stock: Word = "",
) -> Any:
    rows = select(Product).outerjoin(Product.book).order_by(Product.name, Product.id)
    if words := q.strip():
        # autoescape: a "%" in the question is a percent sign, not a wildcard.
        rows = rows.where(
            or_(Product.name.icontains(words, autoescape=True), Book.author.icontains(words, autoescape=True))
        )
    if category:
        rows = rows.where(Product.category == category)
    if min_price is not None:
        rows = rows.where(Product.price >= min_price)
    if max_price is not None:
        rows = rows.where(Product.price <= max_price)
    if in_stock.lower() in YES:
        rows = rows.where(Product.stock > 0)
    return await page.of(rows, db, "products")
