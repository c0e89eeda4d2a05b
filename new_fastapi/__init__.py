"""The bookshop as it will be: FastAPI, beside the Flask app and on the same database, until nothing is left over there.

Moved from `legacy_flask`, and answering as it does to the last byte (see `faithful`)
    GET POST            /books
    GET PUT DELETE      /books/{book_id}
    GET POST            /users
    GET                 /users/{user_id}
    GET POST            /items
    GET                 /items/{item_id}
    GET                 /products/search
    GET                 /me
    POST DELETE         /sessions            a login here is a login there
    GET                 /external-data

New
    GET                 /docs, /redoc, /openapi.json
    GET                 /events/catalogue    server-sent events: what is added to the catalogue, by either app
    GET                 /chat                the members' chat, a page to try it with
    WebSocket           /ws/chat

`new_fastapi:app` is the application; `create_app` makes others, for tests.
"""

from __future__ import annotations

from .application import create_app

__all__ = ["app", "create_app"]

app = create_app()
