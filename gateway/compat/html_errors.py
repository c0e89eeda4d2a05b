"""``errors``: errors are Flask's pages of HTML, and a bad body is 400 or 415. FastAPI answers JSON, and 422."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import Fields, Held, is_json, media_type, without
from gateway.compat.pages import page


class HtmlErrors:
    """Replaces FastAPI's own errors. What an app answers in a form of its own, it means, and it goes on as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = media_type(scope["headers"])

        def as_flask(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
            description = ""
            if media_type(fields) == b"text/plain":
                # Starlette's answer to an exception that nobody has caught.
                if status != 500 or content != b"Internal Server Error":
                    return status, fields, content
            else:
                detail = _detail(content)
                if detail is None:
                    return status, fields, content
                if status == 422 and isinstance(detail, list):
                    status = _of_a_bad_request(detail, sent)
                elif isinstance(detail, str) and detail != HTTPStatus(status).phrase:
                    description = detail
            content_type, content = page(status, description)
            return status, [content_type, *without(fields, b"content-type")], content

        await self.app(scope, receive, Held(send, _may_be_fastapis, as_flask).send)


def _may_be_fastapis(status: int, fields: Fields) -> bool:
    return status >= 400 and (is_json(fields) or media_type(fields) == b"text/plain")


def _detail(content: bytes) -> Any:
    """The detail of FastAPI's ``{"detail": ...}``; None of anything else."""
    try:
        answer = json.loads(content)
    except ValueError:
        return None
    return answer["detail"] if isinstance(answer, dict) and answer.keys() == {"detail"} else None


def _of_a_bad_request(errors: list[Any], sent: bytes) -> int:
    """What ``request.get_json()`` would have said: 415 for a body that is not called JSON, 400 for all else."""
    of_the_body = any(isinstance(error, dict) and list(error.get("loc", ()))[:1] == ["body"] for error in errors)
    form = sent in (b"application/x-www-form-urlencoded", b"multipart/form-data")
    called_json = sent == b"application/json" or sent.endswith(b"+json")
    return 415 if of_the_body and not called_json and not form else 400
