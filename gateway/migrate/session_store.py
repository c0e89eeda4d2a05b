"""Where Flask-Session keeps sessions, for the new app to read and write: Redis, and whatever cachelib offers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

log = logging.getLogger("gateway.migrate")

Format = Literal["msgpack", "json"]


class SessionStore(Protocol):
    """Sessions by key. What it raises when it cannot be reached goes on to the app: a session that cannot be read is
    not an empty one, which would log the user out."""

    async def get(self, key: str) -> dict[str, Any] | None:
        """What is kept, or None."""

    async def set(self, key: str, data: Mapping[str, Any], seconds: int) -> None:
        """Keep ``data`` for so long."""

    async def delete(self, key: str) -> None:
        """Forget it, if it is there."""


class RedisStore:
    """As ``flask_session.redis`` has it. ``client`` is a ``redis.Redis``, called in threads, or a
    ``redis.asyncio.Redis``.

    ``written`` is SESSION_SERIALIZATION_FORMAT; the other one is read too, as by Flask-Session. What is neither is
    taken for no session: Flask-Session before 0.7 pickled, and unpickling runs whatever stands there.
    """

    def __init__(self, client: Any, written: Format = "msgpack") -> None:
        # As Flask-Session does: only what it writes itself is the same to the byte.
        import msgspec

        self._client = client
        self._asynchronous = hasattr(type(client), "__aenter__")
        formats = (msgspec.msgpack, msgspec.json) if written == "msgpack" else (msgspec.json, msgspec.msgpack)
        self._encode: Callable[[object], bytes] = formats[0].encode
        self._decoders = [each.decode for each in formats]
        self._unreadable: type[Exception] = msgspec.DecodeError

    async def get(self, key: str) -> dict[str, Any] | None:
        stored: bytes | None = await self._call(self._client.get, key)
        return self._decoded(key, stored) if stored else None

    async def set(self, key: str, data: Mapping[str, Any], seconds: int) -> None:
        await self._call(self._client.set, key, self._encode(dict(data)), seconds)

    async def delete(self, key: str) -> None:
        await self._call(self._client.delete, key)

    async def _call(self, function: Callable[..., Any], *arguments: object) -> Any:
        if self._asynchronous:
            return await function(*arguments)
        return await asyncio.to_thread(function, *arguments)

    def _decoded(self, key: str, stored: bytes) -> dict[str, Any] | None:
        for decode in self._decoders:
            try:
                data = decode(stored)
            except self._unreadable:
                continue
            if isinstance(data, dict):
                return data
        log.warning("a session is stored in a format that is not read; its user is asked to log in again")
        return None


class CachelibStore:
    """As ``flask_session.cachelib`` has it: a cache of cachelib's, such as a FileSystemCache, called in threads."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    async def get(self, key: str) -> dict[str, Any] | None:
        data = await asyncio.to_thread(self._cache.get, key)
        return data if isinstance(data, dict) else None

    async def set(self, key: str, data: Mapping[str, Any], seconds: int) -> None:
        await asyncio.to_thread(self._cache.set, key, dict(data), seconds)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._cache.delete, key)
