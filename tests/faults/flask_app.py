"""The legacy backend, for a gunicorn of its own or embedded."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flask import Flask, Response, request

from tests.faults.stamped import Book, Wanted, stamp

_book = Book(Path(os.environ["FAULTS_BOOK"]))
_PIECE = 1000

app = Flask(__name__)


@app.route("/orders/<name>", methods=["GET", "POST", "PUT"])
def orders(name: str) -> Response:
    wanted = Wanted.of(request.full_path)
    body = request.get_data()
    _book.note(request.method, name)
    if wanted.seconds:
        time.sleep(wanted.seconds)
    answer = stamp(wanted, "legacy", body)
    if wanted.chunked:
        pieces = (answer[at : at + _PIECE] for at in range(0, len(answer), _PIECE))
        return Response(pieces, mimetype="application/json")
    return Response(answer, mimetype="application/json")
