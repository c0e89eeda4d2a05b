"""Testers choose the backend of one request: header over cookie over weight."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from gateway.config.model import Override
from gateway.dataplane.inbound import RawHeaders, TrustedProxies
from gateway.routing.sticky import cookie_value, header_value


class UnknownBackend(Exception):
    """A tester who may override named a backend that does not exist."""


class OverrideRule:
    """The ``override:`` section, compiled."""

    def __init__(self, config: Override, backends: Collection[str]) -> None:
        self.header = config.header.lower().encode()
        self._cookie = config.cookie.encode()
        self._allow = TrustedProxies(config.allow) if config.allow is not None else None
        self._secret = config.secret.encode() if config.secret is not None else None
        self._backends = frozenset(backends)

    def chosen(self, headers: RawHeaders, client: str) -> str | None:
        """The backend that the client may and does ask for; None when it may not, or does not.

        Who may not is not told so: the answer is the one that everybody gets. Raises UnknownBackend for a tester's
        typing mistake, which must not quietly test the wrong side.
        """
        if self._allow is not None and client not in self._allow:
            return None
        for wish in (header_value(headers, self.header), cookie_value(headers, self._cookie)):
            if wish is None:
                continue
            if self._secret is not None:
                wish, _, secret = wish.partition(":")
                if not hmac.compare_digest(secret.encode("latin-1", "replace"), self._secret):
                    continue
            if wish not in self._backends:
                raise UnknownBackend
            return wish
        return None

    def without(self, headers: RawHeaders) -> RawHeaders:
        """The fields without the override's header and cookie, which may hold the secret and are not for the app."""
        kept: RawHeaders = []
        for field in headers:
            name, value = field
            if name == b"cookie" and self._cookie in value:
                value = self._without_cookie(value)
                if value:
                    kept.append((name, value))
            elif name != self.header:
                kept.append(field)
        return kept

    def _without_cookie(self, line: bytes) -> bytes:
        pairs = line.split(b";")
        kept = [pair for pair in pairs if pair.partition(b"=")[0].strip() != self._cookie]
        return line if len(kept) == len(pairs) else b";".join(kept).strip()
