"""HEAD, OPTIONS, Allow and doubled slashes, as Flask's URL map has them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from fastapi.routing import APIRouter
from starlette.datastructures import URL, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .requests import FlaskRoute


class Rules:
    """Which methods a path of the moved API has. Knows the FlaskRoutes of the routers it is given, and no others."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._rules = [
            (route.path_regex, frozenset(route.methods or ()))
            for router in routers
            for route in router.routes
            if isinstance(route, FlaskRoute)
        ]

    def methods(self, scope: Scope) -> set[str]:
        """The methods of all rules that match, with HEAD for GET and always OPTIONS; empty if none matches."""
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        methods: set[str] = set()
        for pattern, of_rule in self._rules:
            if pattern.match(path):
                methods |= of_rule
        if "GET" in methods:
            methods.add("HEAD")
        if methods:
            methods.add("OPTIONS")
        return methods


class FlaskRules:
    """The middleware: answers OPTIONS and doubled slashes, gives HEAD to GET's endpoint, and varies by cookie."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer, scope_to_answer = self._answer(scope)

        async def send_as_flask(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).add_vary_header("Cookie")
            elif message["type"] == "http.response.body" and scope["method"] == "HEAD":
                # The head stays as it is, with GET's Content-Length.
                message = {**message, "body": b""}
            await send(message)

        await answer(scope_to_answer, receive, send_as_flask)

    def _answer(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        """Who answers, and what it is to be told was asked."""
        method: str = scope["method"]
        if "//" in scope["path"]:
            # Werkzeug takes slashes at the beginning for one, and redirects for others.
            scope = {**scope, "path": "/" + scope["path"].lstrip("/")}
            merged = {**scope, "path": re.sub("/{2,}", "/", scope["path"])}
            methods = self.rules.methods(merged)
            if merged["path"] != scope["path"] and method in methods:
                return _redirect(merged), merged
            if methods:
                scope = merged
        if method == "OPTIONS" and (methods := self.rules.methods(scope)):
            return HTMLResponse(headers={"Allow": ", ".join(sorted(methods))}), scope
        if method == "HEAD" and "HEAD" in self.rules.methods(scope):
            return self.app, {**scope, "method": "GET"}
        return self.app, scope


def _redirect(scope: Scope) -> Response:
    location = str(URL(scope=scope))
    link = html.escape(location)
    body = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        "<p>You should be redirected automatically to the target URL: "
        f'<a href="{link}">{link}</a>. If not, click the link.\n'
    )
    return HTMLResponse(body, 308, {"Location": location})
