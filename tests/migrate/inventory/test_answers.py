from __future__ import annotations

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar

import pytest
from pydantic import BaseModel, PlainSerializer, RootModel, computed_field, field_serializer, model_serializer

from gateway.migrate.inventory.answers import answers_of, answers_of_schema
from gateway.migrate.inventory.endpoint import Answer

T = TypeVar("T")
Written = Annotated[datetime, PlainSerializer(str, return_type=str)]


class Book(BaseModel):
    title: str
    price: Decimal
    due: date | None


class Shelf(BaseModel):
    books: list[Book]
    first: Book


class Tree(BaseModel):
    at: datetime
    children: list[Tree] = []


class Page(BaseModel, Generic[T]):
    items: list[T]


class Dates(RootModel[list[date]]):
    pass


class Own(BaseModel):
    at: datetime
    other: datetime

    @field_serializer("at")
    def write(self, value: datetime) -> str:
        return value.isoformat()


class Whole(BaseModel):
    at: datetime

    @model_serializer
    def write(self) -> dict[str, str]:
        return {}


class Computed(BaseModel):
    @computed_field  # type: ignore[prop-decorator]
    @property
    def due(self) -> date:
        return date.today()


@dataclasses.dataclass
class Record:
    at: datetime
    written: Written


class Typed(TypedDict):
    at: datetime


BOOK = [("Book.price", "Decimal"), ("Book.due", "date")]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (None, []),
        (Any, []),
        (str, []),
        (Literal["a"], []),
        ("not resolved", []),
        (TypeVar("T"), []),
        (datetime, [("the answer", "datetime")]),
        (dict[str, date], [("the answer", "date")]),
        (Book, BOOK),
        (Book | None, BOOK),
        (Annotated[list[Book], "all"], BOOK),
        (Shelf, BOOK),
        (Tree, [("Tree.at", "datetime")]),
        (Page[Book], BOOK),
        (Dates, [("Dates.root", "date")]),
        (Own, [("Own.other", "datetime")]),
        (Whole, []),
        (Computed, [("Computed.due", "date")]),
        (Record, [("Record.at", "datetime")]),
        (Typed, [("Typed.at", "datetime")]),
        (list[Written], []),
    ],
)
def test_annotations(annotation: Any, expected: list[tuple[str, str]]) -> None:
    assert answers_of(annotation) == tuple(Answer(*each) for each in expected)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, []),
        ({"type": "string"}, []),
        ({"type": "string", "format": "date-time"}, [("the answer", "datetime")]),
        ({"$ref": "#/Book"}, [("Book.due", "date")]),
        ({"anyOf": [{"$ref": "#/Book"}, {"type": "null"}]}, [("Book.due", "date")]),
        ({"type": "array", "items": {"$ref": "#/Book"}}, [("Book.due", "date")]),
        ({"properties": "nonsense", "anyOf": 3}, []),
    ],
)
def test_schemas(schema: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    book = {"properties": {"due": {"type": "string", "format": "date"}, "next": {"$ref": "#/Book"}}}

    def resolve(value: object) -> dict[str, Any]:
        assert isinstance(value, dict)
        return book if "$ref" in value else value

    assert answers_of_schema(schema, resolve) == tuple(Answer(*each) for each in expected)
