"""/items: second-hand copies that members offer."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from .api import find_or_404, page_json, page_of
from .extensions import db
from .identity import current_member, login_required
from .models import CONDITIONS, Book, Item
from .validation import LARGEST_ID, Fields, json_object

bp = Blueprint("items", __name__, url_prefix="/items")


@bp.get("")
def list_items() -> ResponseReturnValue:
    statement = select(Item).order_by(Item.id)
    book_id = request.args.get("book_id", type=int)
    if book_id is not None:
        # No row has an id beyond the largest; asking the database for one is an error there.
        statement = statement.where(Item.book_id == max(0, min(book_id, LARGEST_ID)))
    page = page_of(statement)
    return page_json("items", page, [item.as_json() for item in page.items])


@bp.post("")
@login_required
def create_item() -> ResponseReturnValue:
    fields = Fields(json_object())
    book_id = fields.whole("book_id", 1, LARGEST_ID)
    if "book_id" not in fields.errors and db.session.get(Book, book_id) is None:
        fields.errors["book_id"] = "There is no such book."
    condition = fields.choice("condition", CONDITIONS)
    price = fields.amount("price")
    note = fields.optional_text("note", longest=500) or ""
    fields.check()

    item = Item(book_id=book_id, seller=current_member(), condition=condition, price=price, note=note)
    db.session.add(item)
    db.session.commit()
    return item.as_json(), 201, {"Location": url_for(".read_item", item_id=item.id)}


@bp.get("/<int:item_id>")
def read_item(item_id: int) -> ResponseReturnValue:
    return find_or_404(Item, item_id, "item").as_json()
