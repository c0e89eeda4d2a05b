"""The same endpoints on Flask and on FastAPI, written as one writes them there."""

import flask
from fastapi import Body, FastAPI, HTTPException
from fastapi.responses import StreamingResponse

# No annotations from the future: FastAPI could not find what is local to a function.
BOOK = {"title": "Émile", "id": 1, "tags": ["b", "a"], "price": 1.5, "none": None}


def legacy() -> flask.Flask:
    app = flask.Flask(__name__)

    @app.get("/books/<int:number>")
    def book(number: int) -> flask.Response:
        if number == 7:
            flask.abort(404)
        if number == 8:
            raise RuntimeError("crashed")
        return flask.jsonify(BOOK)

    @app.get("/shelf/")
    def shelf() -> str:
        return "shelf"

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    @app.post("/books")
    def add() -> flask.Response:
        return flask.jsonify(flask.request.get_json()["title"])

    @app.get("/stream")
    def stream() -> flask.Response:
        return flask.Response(iter(["a", "b"]), mimetype="text/plain")

    return app


def new() -> FastAPI:
    app = FastAPI()

    @app.get("/books/{number}")
    async def book(number: int) -> dict[str, object]:
        if number == 7:
            raise HTTPException(404)
        if number == 8:
            raise RuntimeError("crashed")
        return BOOK

    @app.get("/shelf/", response_model=None)
    async def shelf() -> str:
        return "shelf"

    @app.get("/plain", response_model=None)
    async def plain() -> str:
        return "plain"

    @app.post("/books")
    async def add(title: str = Body(embed=True)) -> str:
        return title

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    return app
