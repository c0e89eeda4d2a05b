"""Flask-WTF's CSRF tokens in a FastAPI app: a form that one app has rendered can be posted to the other.

::

    csrf = FlaskCsrf.from_config(flask_app.config, session=session)

    @app.get("/form")
    async def form(request: Request) -> ...:
        token = await csrf.token(request)            # for the field "csrf_token", or the header X-CSRFToken

    @app.post("/form", dependencies=[Depends(csrf)])
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from .flask_settings import Key
from .session import Session
from .shared_session import SharedSession


class CsrfError(HTTPException):
    """400, as Flask-WTF answers. ``detail`` is its text for the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, reason)


@dataclass(frozen=True, eq=False, kw_only=True)
class FlaskCsrf:
    """How the Flask app makes and checks its tokens; also the FastAPI dependency that refuses a request without one.

    ``field_name`` and ``headers`` are where the token is looked for. ``time_limit`` is in seconds, None for as long as
    the session. ``referrer`` demands on https that the Referer is a page of this host (WTF_CSRF_SSL_STRICT).
    """

    session: SharedSession
    secret_key: Key = field(repr=False)
    field_name: str = "csrf_token"
    headers: tuple[str, ...] = ("X-CSRFToken", "X-CSRF-Token")
    methods: frozenset[str] = frozenset(("POST", "PUT", "PATCH", "DELETE"))
    time_limit: int | None = 3600
    referrer: bool = True
    enabled: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, session: SharedSession) -> Self:
        """That of a Flask app with this ``app.config``."""
        return cls(
            session=session,
            secret_key=config.get("WTF_CSRF_SECRET_KEY") or config["SECRET_KEY"],
            field_name=config.get("WTF_CSRF_FIELD_NAME", "csrf_token"),
            headers=tuple(config.get("WTF_CSRF_HEADERS", cls.headers)),
            methods=frozenset(config.get("WTF_CSRF_METHODS", cls.methods)),
            time_limit=config.get("WTF_CSRF_TIME_LIMIT", 3600),
            referrer=config.get("WTF_CSRF_SSL_STRICT", True),
            enabled=config.get("WTF_CSRF_ENABLED", True),
        )

    async def token(self, request: Request) -> str:
        """A token for this user: what ``csrf_token()`` is in a template."""
        session = await self.session(request)
        if not isinstance(session.get(self.field_name), str):
            session[self.field_name] = secrets.token_hex(20)
        return self._serializer.dumps(session[self.field_name])

    async def __call__(self, request: Request) -> None:
        """For ``Depends``. Raises CsrfError."""
        if not self.enabled or request.method not in self.methods:
            return
        self.check(await self._sent(request), await self.session(request))
        if self.referrer and request.url.scheme == "https":
            self._check_referrer(request)

    def check(self, token: str | None, session: Session) -> None:
        """Raises CsrfError unless ``token`` was made for ``session``, and is not too old."""
        if not token:
            raise CsrfError("The CSRF token is missing.")
        expected = session.get(self.field_name)
        if not isinstance(expected, str):
            raise CsrfError("The CSRF session token is missing.")
        try:
            sent = self._serializer.loads(token, max_age=self.time_limit)
        except SignatureExpired:
            raise CsrfError("The CSRF token has expired.") from None
        except BadData:
            raise CsrfError("The CSRF token is invalid.") from None
        if not isinstance(sent, str) or not hmac.compare_digest(expected.encode(), sent.encode()):
            raise CsrfError("The CSRF tokens do not match.")

    async def _sent(self, request: Request) -> str | None:
        # Starlette keeps the form, so that the endpoint can read it too. Of other content types it is empty.
        form = await request.form()
        named = [form.get(self.field_name)]
        # A form with a prefix has "{prefix}-csrf_token".
        named += [value for name, value in form.items() if name.endswith(self.field_name)]
        named += [request.headers.get(name) for name in self.headers]
        return next((value for value in named if value and isinstance(value, str)), None)

    @staticmethod
    def _check_referrer(request: Request) -> None:
        referrer = request.headers.get("referer")
        if not referrer:
            raise CsrfError("The referrer header is missing.")
        page, here = urlsplit(referrer), urlsplit(f"https://{request.headers.get('host', '')}/")
        if (page.scheme, page.hostname, page.port) != (here.scheme, here.hostname, here.port):
            raise CsrfError("The referrer does not match the host.")

    @property
    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret_key, salt="wtf-csrf-token")
