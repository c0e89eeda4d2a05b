"""``json``: JSON is written as Flask writes it: keys in order, everything beyond ASCII escaped, a line's end behind it.

What the app has made of its dates and decimals stays: by then they are texts and numbers.
"""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import Fields, Held, is_json


class FlaskJson:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] != "HEAD":
            send = Held(send, _is_an_answer, _rewritten).send
        await self.app(scope, receive, send)


def _is_an_answer(status: int, fields: Fields) -> bool:
    return status < 400 and is_json(fields)


def _rewritten(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
    try:
        text = json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    except (ValueError, RecursionError):
        return status, fields, content
    return status, fields, text.encode("ascii") + b"\n"
