"""The legacy side: a JSON view, and one that waits as a view does that calls a slow third party."""

from __future__ import annotations

import time

from flask import Flask, Response, jsonify


def create_app() -> Flask:
    app = Flask(__name__)

    @app.get("/legacy/books/<int:book_id>")
    def read_book(book_id: int) -> Response:
        return jsonify(
            id=book_id, title="Dune", author="Frank Herbert", price=9.5, in_stock=True, tags=["sf", "classic"]
        )

    @app.get("/legacy/slow")
    def slow() -> Response:
        time.sleep(SLOW_SECONDS)
        return jsonify(slow=True)

    return app


SLOW_SECONDS = 0.1
app = create_app()

# What GET /legacy/books/7 and GET /legacy/slow answer, byte for byte: Flask sorts the keys and ends the line.
BOOK = b'{"author":"Frank Herbert","id":7,"in_stock":true,"price":9.5,"tags":["sf","classic"],"title":"Dune"}\n'
SLOW = b'{"slow":true}\n'
