"""A small Flask app and the FastAPI app that is to take its place."""

from __future__ import annotations

from pathlib import Path

OLD = """\
print("the old shop is loaded")
from flask import Blueprint, Flask

books = Blueprint("books", __name__, url_prefix="/books")


@books.get("")
def list_books():
    return "old list"


@books.post("")
def create_book():
    return "old create"


@books.get("/<int:book_id>")
def read_book(book_id):
    return "old book"


def create_app():
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(books)
    app.add_url_rule("/users/me", "me", lambda: "old me")
    app.add_url_rule("/users/<name>", "user", lambda name: "old user")
    app.add_url_rule("/login", "login", lambda: "old login", methods=["GET", "POST"])
    return app
"""

NEW = """\
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI(openapi_url=None, default_response_class=PlainTextResponse)


@app.api_route("/books", methods=["GET", "HEAD"])
def books():
    return "new list"


@app.get("/books/{book_id}")
def book(book_id: int):
    return "new book"


@app.get("/users/{name}")
def user(name: str):
    return "new user"


@app.get("/health")
def health():
    return "new health"
"""


def make_apps(folder: Path) -> None:
    (folder / "oldflask.py").write_text(OLD)
    (folder / "newfastapi.py").write_text(NEW)
