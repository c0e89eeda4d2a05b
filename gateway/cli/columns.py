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
    on_terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if on_terminal else None, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in numbers else "left", overflow="fold")
    for row in rows:
        # As Text: a path such as /[id] is not markup.
        table.add_row(*map(Text, row))
    if on_terminal:
        Console().print(table)
        return
    plain = StringIO()
    Console(file=plain, width=_UNCUT, color_system=None).print(table)
    for line in plain.getvalue().splitlines():
        print(line.rstrip())
