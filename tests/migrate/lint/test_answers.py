from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask, jsonify
from pydantic import BaseModel, PlainSerializer, create_model, field_serializer

from gateway.migrate.inventory.openapi import openapi_inventory
from gateway.migrate.lint.answers import _NUMBERS, _UNKNOWN_TO_FLASK, _WRITTEN
from tests.migrate.lint.shop import flask_app, told

MOVED = "  - {path: /b, to: new}\n"


class Colour(Enum):
    RED = "red"


class Word(StrEnum):
    RED = "red"


def new_app(type_: Any) -> FastAPI:
    """An app that answers with a model of one field."""
    app = FastAPI()
    model = create_model("Book", field=(type_, ...))
    app.get("/b", response_model=list[model])(lambda: None)
    return app


DATES = {datetime: "datetime", date: "date", Annotated[datetime | None, "when"]: "datetime"}


@pytest.mark.parametrize(("type_", "name"), DATES.items())
def test_dates(type_: Any, name: str) -> None:
    assert told("SG901", flask_app("/b"), new_app(type_), MOVED) == [f"{name} Book.field: {_WRITTEN[name]}"]


WRITTEN = Annotated[datetime, PlainSerializer(str, return_type=str)]


@pytest.mark.parametrize("type_", [str, int, Word, WRITTEN, list[WRITTEN] | None])
@pytest.mark.parametrize("code", ["SG901", "SG902", "SG903"])
def test_types_of_json_and_what_has_a_serializer(type_: Any, code: str) -> None:
    assert told(code, flask_app("/b"), new_app(type_), MOVED) == []


@pytest.mark.parametrize(
    ("type_", "name"), [(time, "time"), (timedelta, "timedelta"), (bytes, "bytes"), (Colour, "Enum")]
)
def test_types_that_flask_does_not_write(type_: Any, name: str) -> None:
    expected = [f"{name} Book.field: {_UNKNOWN_TO_FLASK[name]} by FastAPI"]
    assert told("SG902", flask_app("/b"), new_app(type_), MOVED) == expected


@pytest.mark.parametrize(("type_", "name"), [(Decimal, "Decimal"), (float, "float")])
def test_numbers(type_: Any, name: str) -> None:
    assert told("SG903", flask_app("/b"), new_app(type_), MOVED) == [f"note: {name} Book.field: {_NUMBERS[name]}"]


class Author(BaseModel):
    born: date


class Book(BaseModel):
    author: Author
    lent: dict[str, datetime]
    seen: datetime

    @field_serializer("seen")
    def write(self, value: datetime) -> str:
        return value.isoformat()


def test_a_model_in_a_model_and_its_own_serializers() -> None:
    app = FastAPI()

    @app.get("/b")
    def book() -> Book | None: ...

    assert told("SG901", flask_app("/b"), app, MOVED) == [
        f"date Author.born: {_WRITTEN['date']}",
        f"datetime Book.lent: {_WRITTEN['datetime']}",
    ]
    assert told("SG901", flask_app("/other"), app, MOVED) == []


def test_an_openapi_document_tells_of_dates() -> None:
    document = openapi_inventory(new_app(datetime).openapi(), "http://127.0.0.1/openapi.json")
    assert told("SG901", flask_app("/b"), document, MOVED) == [f"datetime Book.field: {_WRITTEN['datetime']}"]


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        (datetime, datetime(2020, 1, 2, 3, 4, 5), _WRITTEN["datetime"]),
        (date, date(2020, 1, 2), _WRITTEN["date"]),
    ],
)
async def test_dates_are_written_as_the_message_says(type_: Any, value: object, said: str) -> None:
    flask, fastapi = await _both(type_, lambda: value)
    assert said == f"{json.loads(flask)} by Flask, {json.loads(fastapi)} by FastAPI"


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [(time, time(1, 2), "01:02:00"), (timedelta, timedelta(seconds=90), "PT1M30S"), (Colour, Colour.RED, "red")],
)
async def test_flask_refuses_what_the_message_says(type_: Any, value: object, written: str) -> None:
    with pytest.raises(TypeError):
        await _both(type_, lambda: value)
    assert await _fastapi(type_, lambda: value) == json.dumps(written)


async def test_numbers_are_written_as_the_message_says() -> None:
    assert await _both(Decimal, lambda: Decimal("1.10")) == ('"1.10"', '"1.10"')
    assert await _both(float, lambda: float("nan")) == ("NaN", "null")
    assert await _both(datetime, lambda: datetime(2020, 1, 2, tzinfo=UTC)) == (
        '"Thu, 02 Jan 2020 00:00:00 GMT"',
        '"2020-01-02T00:00:00Z"',
    )


async def _both(type_: Any, value: Callable[[], object]) -> tuple[str, str]:
    """What Flask's jsonify() and FastAPI's response model write."""
    with Flask("old").app_context():
        flask = jsonify(value()).get_data(as_text=True).strip()
    return flask, await _fastapi(type_, value)


async def _fastapi(type_: Any, value: Callable[[], object]) -> str:
    app = FastAPI()
    app.get("/", response_model=type_)(value)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/")).text
