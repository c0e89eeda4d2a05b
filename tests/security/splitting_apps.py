"""Apps in this process that pass a line's end on into the head of their answer: what injection into an app looks like.

The query says what goes where: ``name``, ``value`` or ``status``. What is injected would be a cookie, and an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from starlette.types import Receive, Scope, Send


def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    given = dict(parse_qsl(environ["QUERY_STRING"], encoding="latin-1", keep_blank_values=True))
    start_response(
        "200 OK" + given.get("status", ""),
        [("Content-Length", "2"), ("X-Name" + given.get("name", ""), "value" + given.get("value", ""))],
    )
    return [b"ok"]


async def asgi_app(scope: Scope, receive: Receive, send: Send) -> None:
    given = dict(parse_qsl(scope["query_string"].decode(), encoding="latin-1", keep_blank_values=True))
    name, value = (
        b"x-name" + given.get("name", "").encode("latin-1"),
        b"value" + given.get("value", "").encode("latin-1"),
    )
    status: Any = 200 if "status" not in given else f"200{given['status']}"
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2"), (name, value)]})
    await send({"type": "http.response.body", "body": b"ok"})
