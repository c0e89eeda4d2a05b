"""One finding for all endpoints of a route that have the same thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gateway.migrate.lint.subject import Meeting


def gathered(
    meetings: Iterable[Meeting], wanted: Callable[[Meeting], bool], *, each: bool = False
) -> Iterator[tuple[Meeting, list[str]]]:
    """By route, the first meeting that is ``wanted``, and how the old app has written all of them.

    With ``each``, every endpoint has its own.
    """
    found: dict[object, tuple[Meeting, list[str]]] = {}
    for meeting in meetings:
        if wanted(meeting):
            key = (meeting.placed.path, meeting.endpoint.rule if each else None)
            found.setdefault(key, (meeting, []))[1].append(meeting.endpoint.rule)
    yield from found.values()
