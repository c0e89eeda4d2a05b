"""What every request to the admin listener has to get past."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.control.admin.access import Access
from gateway.control.admin.origin import cross_site
from gateway.control.admin.problem import Refusal, response
from gateway.control.admin.tokens import Right
from gateway.control.loopback import is_loopback

# What load balancers ask, and what a browser needs for logging in.
_OPEN = frozenset(("/healthz", "/readyz", "/login", "/logout"))
_OPEN_BELOW = "/static/"
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# Asks by POST, and changes nothing.
_ONLY_READS = frozenset(("/api/v1/plan",))
# Bytes. No request of ours comes near it.
_LONGEST_BODY = 1 << 16

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with that, a browser sends `Origin: null` with our own forms (WHATWG Fetch 3.2).
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    # No request to any other site, no script and no style but our own files, no frame around us.
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}


class Guard:
    """Lets through who may, and answers everybody else. ``request.state.right`` says what the request may do.

    Without tokens the Host must be a loopback name: a page of evil.example can have its own name resolve to 127.0.0.1
    (DNS rebinding) and then read our answers as its own, but its requests still say `Host: evil.example`. With tokens
    any name will do, because such a page has neither the token nor our cookie.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    fields.setdefault(name, value)
            await send(message)

        try:
            right = self._admitted(scope)
        except Refusal as refusal:
            await _refused(scope, refusal)(scope, receive, send_hardened)
            return
        scope.setdefault("state", {})["right"] = right
        await self._app(scope, receive, send_hardened)

    def _admitted(self, scope: Scope) -> Right:
        """What the request may do. Raises Refusal if that is not enough for what it asks."""
        headers, path = Headers(scope=scope), scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise Refusal(400, "a request has one Host")
        if self._access.open and not is_loopback(hosts[0]):
            raise Refusal(421, "without a token the admin listener answers to localhost, 127.0.0.1 and [::1] only")
        changes = scope["method"] not in _SAFE
        if changes:
            _check_body(headers)
            if (wrong := cross_site(headers)) is not None:
                raise Refusal(403, wrong, kind="cross-site")
        right = self._access.right(headers, scope["client"][0] if scope["client"] else "")
        if path in _OPEN or path.startswith(_OPEN_BELOW):
            return right
        if right is Right.NONE:
            challenge = {"www-authenticate": 'Bearer realm="gateway"'}
            raise Refusal(401, "send a token, as `Authorization: Bearer TOKEN`", headers=challenge)
        if changes and path not in _ONLY_READS and right < Right.CHANGE:
            raise Refusal(403, "this token may read and not change; use one that may", kind="read-only")
        return right


def _check_body(headers: Headers) -> None:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        raise Refusal(411, "send the body with its Content-Length")
    if int(length) > _LONGEST_BODY:
        raise Refusal(413, f"the body is longer than {_LONGEST_BODY} bytes")


def _refused(scope: Scope, refusal: Refusal) -> Response:
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    if refusal.problem.status == 401 and scope["method"] == "GET" and wants_page:
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)
    return response(refusal.problem, refusal.headers)
