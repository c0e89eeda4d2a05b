"""How a browser gets its right: a form that takes a token, and a cookie for it."""

from __future__ import annotations

import html
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.control.admin.access import Access
from gateway.control.admin.sessions import COOKIE, LIFETIME

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Log in · strangler-gateway</title>
  <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/static/dashboard.css">
</head>
<body>
<main class="wide">
  <h1>Log in to the gateway</h1>
  {complaint}
  <form method="post" action="/login" class="login">
    <input type="hidden" name="next" value="{next}">
    <label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
    <button>Log in</button>
  </form>
</main>
</body>
</html>
"""


def login_routes(access: Access) -> APIRouter:
    """Not part of the described API: programs send the token itself."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def ask(next: str = "/") -> Response:  # noqa: A002 - the name in the query
        return RedirectResponse(_local(next), 303) if access.open else _form(next)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        wanted = _local(fields.get("next", ["/"])[0])
        if access.open:
            return RedirectResponse(wanted, 303)
        name = access.log_in(fields.get("token", [""])[0].strip(), request.client.host if request.client else "")
        if name is None:
            return _form(wanted, "That token is not known here.", 401)
        answer = RedirectResponse(wanted, 303)
        # The scheme of the page: where TLS ends in front of us, our own connection does not know.
        secure = request.headers.get("origin", "").startswith("https:")
        answer.set_cookie(COOKIE, name, max_age=LIFETIME, secure=secure, httponly=True, samesite="strict")
        return answer

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        access.log_out(request.headers)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def _local(path: str) -> str:
    """``path`` if it is one of ours. `//evil.example`, and `/\\evil.example` to a browser, is another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def _form(wanted: str, complaint: str = "", status: int = 200) -> Response:
    said = f'<p class="problem" role="alert">{html.escape(complaint)}</p>' if complaint else ""
    return HTMLResponse(_PAGE.format(complaint=said, next=html.escape(_local(wanted))), status)
