"""``options``: OPTIONS is answered with 200 and the methods of the path. FastAPI answers 405."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import Fields, Held, value_of, without

# As Werkzeug writes them: in whatever order; a list is easier to compare.
_ALWAYS = ("HEAD", "OPTIONS")


class Options:
    """What the app allows is what it says when it refuses; HEAD comes with GET, and OPTIONS itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = Held(send, _is_refusal, _answered if scope["method"] == "OPTIONS" else _completed).send
        await self.app(scope, receive, send)


def _is_refusal(status: int, fields: Fields) -> bool:
    return status == 405


def _answered(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
    _, fields, _ = _completed(status, fields, content)
    return 200, [(b"content-type", b"text/html; charset=utf-8"), *without(fields, b"content-type")], b""


def _completed(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
    named = [name.strip() for name in value_of(fields, b"allow").decode("latin-1").split(",") if name.strip()]
    extra = [name for name in _ALWAYS if name not in named and (name != "HEAD" or "GET" in named)]
    allow = ", ".join([*named, *extra]).encode("latin-1")
    return status, [(b"allow", allow), *without(fields, b"allow")], content
