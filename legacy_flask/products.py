"""/products/search: the catalogue for scripts and for the search box of the shop's partners."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from .api import page_json, page_of
from .models import Book, Product
from .validation import Fields

bp = Blueprint("products", __name__, url_prefix="/products")

YES = frozenset({"1", "true", "yes", "on"})


@bp.get("/search")
def search() -> ResponseReturnValue:
    # PostgreSQL refuses NUL in text. Nothing in the catalogue has one, so leaving it out finds the same.
    terms = {name: value.replace("\0", "") for name, value in request.args.items()}
    fields = Fields(terms)
    lowest = fields.optional_amount("min_price", lowest=Decimal(0))
    highest = fields.optional_amount("max_price", lowest=Decimal(0))
    fields.check()

    statement = select(Product).outerjoin(Product.book).order_by(Product.name, Product.id)
    words = terms.get("q", "").strip()
    if words:
        # autoescape: a "%" in the question is a percent sign, not a wildcard.
        statement = statement.where(
            or_(
                Product.name.icontains(words, autoescape=True),
                Book.author.icontains(words, autoescape=True),
            )
        )
    if terms.get("category"):
        statement = statement.where(Product.category == terms["category"])
    if lowest is not None:
        statement = statement.where(Product.price >= lowest)
    if highest is not None:
        statement = statement.where(Product.price <= highest)
    if terms.get("in_stock", "").lower() in YES:
        statement = statement.where(Product.stock > 0)

    page = page_of(statement)
    return page_json("products", page, [product.as_json() for product in page.items])
