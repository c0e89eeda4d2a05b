"""The coverage as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gateway.migrate.coverage import STATES, Coverage, Row
from gateway.migrate.next_move import next_moves, perhaps_unused
from gateway.migrate.report import TITLES, cells, headline, honesty, step_line

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td:nth-child(4) { text-align: right; white-space: nowrap; }
td:first-child, code { font-family: ui-monospace, monospace; font-size: .92em; }
.bar { display: flex; height: 1.2rem; border-radius: .3rem; overflow: hidden; }
.moved { background: #2a9d5c; } .canary { background: #d9a11c; } .both { background: #5b8def; }
.legacy-only { background: #9a9a9a; } .new-only { background: #a46fd1; }
td.state { white-space: nowrap; border-left: .3rem solid; background: none; }
td.moved { border-color: #2a9d5c; } td.canary { border-color: #d9a11c; } td.both { border-color: #5b8def; }
td.legacy-only { border-color: #9a9a9a; } td.new-only { border-color: #a46fd1; }
"""


def html(coverage: Coverage, new: str) -> str:
    """The whole page; ``new`` is the name of the new app's backend."""
    return "\n".join(_lines(coverage, new)) + "\n"


def _lines(coverage: Coverage, new: str) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>Coverage of the migration</title>\n<style>{_STYLE}</style>"
    yield "<h1>Coverage of the migration</h1>"
    yield from _bar(coverage)
    yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in headline(coverage))}</ul>"
    yield from _table(coverage.rows)
    if coverage.only_new:
        yield "<h2>Only in the new app</h2>"
        yield from _table(coverage.only_new)
    steps = next_moves(coverage, new)
    if steps:
        items = (f"<li>{escape(step_line(step))}<br><code>{escape(step.command)}</code></li>" for step in steps)
        yield f"<h2>What to move next</h2>\n<ol>{''.join(items)}</ol>"
    unused = perhaps_unused(coverage)
    if unused:
        labels = (f"<li><code>{escape(row.target.label)}</code></li>" for row in unused)
        yield f"<h2>Perhaps nobody uses these</h2>\n<ul>{''.join(labels)}</ul>"
    note = honesty(coverage)
    if note is not None:
        yield f"<p><small>{escape(note)}</small></p>"


def _bar(coverage: Coverage) -> Iterator[str]:
    counts = [(state, coverage.count(state)) for state in STATES if state != "new only"]
    parts = (
        f'<div class="{_class(state)}" style="flex:{count}" title="{count} {state}"></div>'
        for state, count in counts
        if count
    )
    yield f'<div class="bar" role="img" aria-label="{coverage.moved:.0f} % moved">{"".join(parts)}</div>'


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield f"<table><thead><tr>{''.join(f'<th>{title.capitalize()}</th>' for title in TITLES)}</tr></thead><tbody>"
    for row in rows:
        endpoint, state, *others = map(escape, cells(row))
        rest = "".join(f"<td>{text}</td>" for text in others)
        yield f'<tr><td>{endpoint}</td><td class="state {_class(row.state)}">{state}</td>{rest}</tr>'
    yield "</tbody></table>"


def _class(state: str) -> str:
    return state.replace(" ", "-")
