"""What one browser's session holds, and whether it has to be kept again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Self


class Session(MutableMapping[str, Any]):
    """What one browser's cookie holds. ``_permanent`` is a key like any other, as in Flask.

    Only this dictionary is watched: after changing a list inside it, set ``modified`` yourself. On a WebSocket the
    session is read-only, because the response that could carry a cookie has gone: changing it raises RuntimeError.
    """

    __slots__ = ("_accessed", "_data", "_modified", "_read_only")

    def __init__(self, data: Mapping[str, Any] | None = None, *, read_only: bool = False) -> None:
        self._data: dict[str, Any] = dict(data or {})
        self._accessed = False
        self._modified = False
        self._read_only = read_only

    @property
    def accessed(self) -> bool:
        """Whether anything else of it was asked for or changed: the response then varies by cookie."""
        return self._accessed

    @property
    def modified(self) -> bool:
        """Whether the cookie must be sent again."""
        self._accessed = True
        return self._modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self._accessed = True
        if value:
            self._changed()
        else:
            self._modified = False

    @property
    def new(self) -> bool:
        """Always False, as in Flask, which cannot tell a new session from an emptied one."""
        self._accessed = True
        return False

    @property
    def permanent(self) -> bool:
        """Whether the cookie outlives the browser's window, by ``lifetime``."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    def _changed(self) -> None:
        if self._read_only:
            raise RuntimeError("the session of a WebSocket is read-only: no response is left to carry its cookie")
        self._modified = True

    def __getitem__(self, key: str) -> Any:
        self._accessed = True
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        self._accessed = True
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        self._accessed = True
        return iter(self._data)

    def __len__(self) -> int:
        self._accessed = True
        return len(self._data)

    def __setitem__(self, key: str, value: Any) -> None:
        self._accessed = True
        self._changed()
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        self._accessed = True
        if key in self._data:  # a failed deletion changes nothing
            self._changed()
        del self._data[key]

    # The mapping's own versions of these three would not count as a change when there is nothing to change, or would
    # take the first item in place of the last; Flask's do as below, and what counts decides about the cookie.
    def clear(self) -> None:
        self._accessed = True
        self._changed()
        self._data.clear()

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._accessed = True
        self._changed()
        self._data.update(*args, **kwargs)

    def popitem(self) -> tuple[str, Any]:
        self._accessed = True
        if self._data:
            self._changed()
        return self._data.popitem()

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        self._accessed = True
        return self._data.copy()

    def __repr__(self) -> str:
        return f"<Session {self._data!r}>"
