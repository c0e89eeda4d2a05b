"""Tables for a terminal, and for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wider than any row: what reads a pipe can cut lines itself, and cannot put wrapped ones together again.
_UNCUT = 100_000


def print_columns(titles: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print ``rows`` under ``titles``; the columns titled as in ``numbers`` are aligned to the right.

    To a terminal as wide as it is; to anything else plain, without colour, and each row on one line.
    """
    if sys.stdout.isatty():
        Console().print(columns(titles, rows, numbers=numbers))
        return
    plain = StringIO()
    Console(file=plain, width=_UNCUT, color_system=None).print(columns(titles, rows, numbers=numbers, lined=False))
    for line in plain.getvalue().splitlines():
        print(line.rstrip())


def columns(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = (), lined: bool = True
) -> Table:
    """The same as a thing to print; ``lined`` has a line below the titles."""
    table = Table(box=box.SIMPLE_HEAD if lined else None, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in numbers else "left", overflow="fold")
    for row in rows:
        # As Text: a path such as /[id] is not markup.
        table.add_row(*map(Text, row))
    return table
