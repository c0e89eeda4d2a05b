"""``slashes``: a path without its slash at the end is sent to the one with it by 308, and the other way is 404.
Starlette answers 307 both ways."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.compat.held import Fields, Held, value_of, without
from gateway.compat.pages import page


class Slashes:
    """Looks only at redirects to the same path with a slash more or less."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: bytes = scope.get("raw_path") or scope["path"].encode()

        def about_a_slash(status: int, fields: Fields) -> bool:
            target = _target(fields)
            return status == 307 and target not in (b"", path) and target in (path + b"/", path.rstrip(b"/"))

        def as_flask(status: int, fields: Fields, content: bytes) -> tuple[int, Fields, bytes]:
            if _target(fields) == path + b"/":
                return 308, fields, content
            content_type, content = page(404)
            return 404, [content_type, *without(fields, b"location", b"content-type")], content

        await self.app(scope, receive, Held(send, about_a_slash, as_flask).send)


def _target(fields: Fields) -> bytes:
    return urlsplit(value_of(fields, b"location")).path
