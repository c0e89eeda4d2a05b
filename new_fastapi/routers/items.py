"""/items: second-hand copies that members offer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import ValidationError, WithJsonSchema
from sqlalchemy import select

from ..database import Database
from ..faithful.errors import InvalidData, Problem
from ..faithful.fields import messages
from ..faithful.requests import FlaskRoute
from ..identity import Member
from ..models import LARGEST_ID, Book, Item
from ..paging import PageAsked, int_or
from ..schemas import ItemIn, ItemOut, ItemPage

router = APIRouter(prefix="/items", tags=["items"], route_class=FlaskRoute)

# Not an ItemIn: whether the book exists is asked together with what is wrong with the other fields.
RawItem = Annotated[dict[str, Any], Body(), WithJsonSchema(ItemIn.model_json_schema())]


@router.get("", response_model=ItemPage)
async def list_items(
    page: PageAsked, db: Database, book_id: Annotated[int | None, int_or(None), Query()] = None
) -> Any:
    rows = select(Item).order_by(Item.id)
    if book_id is not None:
        # No row has an id beyond the largest; asking the database for one is an error there.
        rows = rows.where(Item.book_id == max(0, min(book_id, LARGEST_ID)))
    return await page.of(rows, db, "items")


@router.post("", response_model=ItemOut, status_code=201)
async def create_item(member: Member, data: RawItem, db: Database, request: Request, response: Response) -> Any:
    wrong: dict[str, str] = {}
    try:
        offer = ItemIn.model_validate(data)
    except ValidationError as error:
        wrong = messages(error.errors())
    if "book_id" not in wrong and await db.get(Book, data["book_id"]) is None:
        wrong["book_id"] = "There is no such book."
    if wrong:
        raise InvalidData(wrong)

    item = Item(
        book_id=offer.book_id,
        seller_id=member.id,
        condition=offer.condition,
        price=offer.price,
        note=offer.note or "",
    )
    db.add(item)
    await db.commit()
    response.headers["Location"] = request.url_for("read_item", item_id=item.id).path
    return item


@router.get("/{item_id:int}", response_model=ItemOut)
async def read_item(item_id: int, db: Database) -> Any:
    item = await db.get(Item, item_id) if item_id <= LARGEST_ID else None
    if item is None:
        raise Problem(404, f"No item has the id {item_id}.")
    return item
