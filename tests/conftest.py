"""What holds for the whole session: what its processes inherit, how long it takes, and the table of the fault suite.

The table is made here and not beside its tests: with xdist, the process that prints loads no deeper conftest.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator

import hypothesis
import pytest
from _pytest.terminal import TerminalReporter

from tests.faults.table import Row, lines

# A shell starts what runs in its background with Ctrl-C ignored, which every process below would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Images for containers have it set. Then some hundred processes, and pytest itself, would compile the same again.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False

# An example takes as long as a busy machine lets it.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")

# What takes so long that all would wait for it, if it came last.
LONGEST = ("test_soak.py", "test_migration_guide.py")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Some thousand tests, and all that they import, stay to the end: no use in going through them for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [
        Row(**value)
        for report in sorted(reports, key=lambda report: str(report.nodeid))
        for key, value in getattr(report, "user_properties", ())
        if key == "fault" and report.when == "call"
    ]
    if rows:
        terminalreporter.section("faults")
        for line in lines(rows):
            terminalreporter.write_line(line)
