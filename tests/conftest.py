"""The table of the fault suite at the end of a session.

Here and not beside its tests: with xdist, the process that prints loads no deeper conftest.
"""

from __future__ import annotations

from _pytest.terminal import TerminalReporter

from tests.faults.table import Row, lines


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
