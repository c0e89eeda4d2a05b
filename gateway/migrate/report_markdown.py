"""The coverage as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gateway.migrate.coverage import Coverage, Row
from gateway.migrate.next_move import next_moves, perhaps_unused
from gateway.migrate.report import TITLES, cells, headline, honesty, step_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(coverage: Coverage, new: str) -> str:
    """The whole report; ``new`` is the name of the new app's backend."""
    return "\n".join(_lines(coverage, new)) + "\n"


def _lines(coverage: Coverage, new: str) -> Iterator[str]:
    yield "# Coverage of the migration"
    yield ""
    for line in headline(coverage):
        yield f"- {_text(line)}"
    yield ""
    yield from _table(coverage.rows)
    if coverage.only_new:
        yield ""
        yield "## Only in the new app"
        yield ""
        yield from _table(coverage.only_new)
    steps = next_moves(coverage, new)
    if steps:
        yield ""
        yield "## What to move next"
        yield ""
        for number, step in enumerate(steps, 1):
            yield f"{number}. {_text(step_line(step))}: `{step.command}`"
    unused = perhaps_unused(coverage)
    if unused:
        yield ""
        yield "## Perhaps nobody uses these"
        yield ""
        for row in unused:
            yield f"- {_text(row.target.label)}"
    note = honesty(coverage)
    if note is not None:
        yield ""
        yield f"*{_text(note)}*"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(title.capitalize() for title in TITLES)} |"
    yield "|---|---|---|---:|---|"
    for row in rows:
        yield f"| {' | '.join(map(_text, cells(row)))} |"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
