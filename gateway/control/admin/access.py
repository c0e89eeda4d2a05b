"""Who asks, and what they may."""

from __future__ import annotations

import logging
import time
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from gateway.control.admin.attempts import Attempts
from gateway.control.admin.problem import Refusal
from gateway.control.admin.sessions import COOKIE, Sessions
from gateway.control.admin.tokens import Right, Tokens

logger = logging.getLogger("gateway.control")


class Access:
    """Knows by a token, or by the session that a browser has begun with one. Without tokens everybody may everything:
    the listener is for this machine only then."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._sessions = Sessions()
        self._attempts = Attempts()

    @property
    def open(self) -> bool:
        """Whether there is no authentication."""
        return not self._tokens

    def right(self, headers: Headers, client: str) -> Right:
        """What a request may do. Raises Refusal for an address that has guessed too often."""
        if self.open:
            return Right.CHANGE
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._right_of(token.strip(), client)
        return self._sessions.right(_session(headers), time.monotonic())

    def log_in(self, token: str, client: str) -> str | None:
        """The id of a new session; None for a wrong token. Raises Refusal as ``right`` does."""
        right = self._right_of(token, client)
        return None if right is Right.NONE else self._sessions.begin(right, time.monotonic())

    def log_out(self, headers: Headers) -> None:
        self._sessions.end(_session(headers))

    def _right_of(self, token: str, client: str) -> Right:
        now = time.monotonic()
        wait = self._attempts.wait(client, now)
        if wait:
            raise Refusal(429, f"too many wrong tokens; wait {wait:.0f} s", headers={"retry-after": f"{wait + 1:.0f}"})
        right = self._tokens.right(token)
        if right is Right.NONE:
            self._attempts.failed(client, now)
            logger.warning("a wrong token for the admin listener, from %s", client)
        return right


def _session(headers: Headers) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if cookie is None else cookie.value
