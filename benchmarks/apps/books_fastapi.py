"""The migrated side: a path parameter, a Pydantic response model, a small JSON body."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel


class Book(BaseModel):
    id: int
    title: str
    author: str
    price: float
    in_stock: bool
    tags: list[str]


def create_app() -> FastAPI:
    app = FastAPI(title="Books")

    @app.get("/books/{book_id}")
    @app.get("/catalogue/{book_id}")
    async def read_book(book_id: int) -> Book:
        return Book(id=book_id, title="Dune", author="Frank Herbert", price=9.5, in_stock=True, tags=["sf", "classic"])

    return app


app = create_app()

# What GET /books/7 and GET /catalogue/7 answer, byte for byte.
BOOK = b'{"id":7,"title":"Dune","author":"Frank Herbert","price":9.5,"in_stock":true,"tags":["sf","classic"]}'
