"""``int404``: a path that does not fit its converter is 404, and so is a negative number. FastAPI answers 422, and
takes -1."""

from __future__ import annotations

import json
import re

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import Fields, Held, is_json, without
from gateway.compat.pages import page

# Werkzeug's <int> takes digits and nothing else.
_NEGATIVE = re.compile(r"/-[0-9]+(?=/|$)")


class Int404:
    """For routes whose parameters are numbers: no request with a negative one reaches the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _NEGATIVE.search(scope["path"]):
            status, fields, content = _not_found(404, [], b"")
            fields.append((b"content-length", b"%d" % len(content)))
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": content})
        else:
            await self.app(scope, receive, Held(send, _may_be_the_path, _judged).send)


def _may_be_the_path(status: int, fields: Fields) -> bool:
    return status == 422 and is_json(fields)


def _judged(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
    return _not_found(status, fields, content) if _is_of_the_path(content) else (status, fields, content)


def _is_of_the_path(content: bytes) -> bool:
    """Whether FastAPI minds something in the path. Flask would not have come as far as the rest."""
    try:
        errors = json.loads(content)["detail"]
        return any(error["loc"][0] == "path" for error in errors)
    except (ValueError, LookupError, TypeError):
        return False


def _not_found(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
    content_type, content = page(404)
    return 404, [content_type, *without(fields, b"content-type")], content
