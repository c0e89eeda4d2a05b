"""Requests read as Flask reads them, by way of the route's class."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

_PROBLEM = "new_fastapi.body_problem"


def body_problem(request: Request) -> int | None:
    """The status that the body of ``request`` deserves, 400, 413 or 415, once something has tried to read it."""
    problem: int | None = request.scope.get(_PROBLEM)
    return problem


class FlaskRequest(Request):
    """Takes the first of a repeated query key, and puts off what is wrong with a body.

    FastAPI reads the body before it runs any dependency, and refuses a bad one at once. A Flask view checks the login
    first and reads the body when it comes to it. So a bad body counts as a missing one here; what was wrong with it is
    answered after the dependencies have had their say.
    """

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_first_params"):
            text = self.scope["query_string"].decode("utf-8", "new_fastapi.quote")
            first: dict[str, str] = {}
            for name, value in parse_qsl(text, keep_blank_values=True, errors="new_fastapi.quote"):
                first.setdefault(name, value)
            self._first_params = QueryParams(first)
        return self._first_params

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await self._json_body()
        return self._body

    async def json(self) -> Any:
        try:
            return json.loads(await self.body())
        except (ValueError, RecursionError):
            self.scope[_PROBLEM] = 400
            return None

    async def _json_body(self) -> bytes:
        """The body if it claims to be JSON and is no larger than allowed, else nothing."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not (
            media_type.startswith("application/") and media_type.endswith("+json")
        ):
            self.scope[_PROBLEM] = 415
            return b""
        body = await self._limited_body(self.app.state.settings.largest_body)
        if not body:
            # FastAPI will not try to parse nothing.
            self.scope[_PROBLEM] = 400 if body is not None else 413
        return body or b""

    async def _limited_body(self, largest: int) -> bytes | None:
        """The body, or None if it is larger; of that no more is read than is needed to know."""
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > largest:
            return None
        body = bytearray()
        async for chunk in self.stream():
            body += chunk
            if len(body) > largest:
                return None
        return bytes(body)


class FlaskRoute(APIRoute):
    """A route whose endpoint and dependencies are given a FlaskRequest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(FlaskRequest(request.scope, request.receive))

        return handle


def _quote(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8 stay percent-encoded; Starlette would put U+FFFD in their place."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return quote(error.object[error.start : error.end], safe=""), error.end


codecs.register_error("new_fastapi.quote", _quote)
