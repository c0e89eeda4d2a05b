"""CPU time of a whole process tree, read from outside while it runs. Linux only.

Time on the wall says little on a shared machine: another tenant's minute is in it. The CPU a server spent, over the
number of requests it answered, stays comparable, and nothing hides from it: workers, threads, supervisors and
children that have come and gone are all counted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """The process ids of ``root`` and all its living descendants. Empty when ``root`` is gone."""
    children: dict[int, list[int]] = {}
    alive = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            parent = int(_stat(int(entry))[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        alive.add(int(entry))
        children.setdefault(parent, []).append(int(entry))
    found = [root] if root in alive else []
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def tree_seconds(root: int) -> float:
    """User and system time, in seconds, that ``root`` and all its descendants have spent so far.

    The living are read from their process clocks (nanoseconds, all threads, also those that ended), children that
    exited and were waited for from their parent's cutime and cstime (ticks of 10 ms). A child of the tree that
    ended without being waited for yet is a zombie and still in the tree; its clock no longer runs, its stat does.
    """
    total = 0.0
    for pid in tree(root):
        try:
            fields = _stat(pid)
            own = (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
            waited_for = (int(fields[13]) + int(fields[14])) / _TICKS_PER_SECOND
            if fields[0] != "Z":
                own = _clock(pid)
        except (OSError, ProcessLookupError):
            continue
        total += own + waited_for
    return total


def peak_bytes(root: int) -> int:
    """The sum of the most that each process of the tree has ever had in memory, in bytes."""
    total = 0
    for pid in tree(root):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (OSError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))
    return total


def resident_bytes(root: int) -> int:
    """Memory the tree holds by itself (proportional set size), in bytes."""
    total = 0
    for pid in tree(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue
        total += next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
    return total * 1024


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: the name before it may hold spaces and parentheses."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def _clock(pid: int) -> float:
    # What clock_getcpuclockid(3) returns: the complement of the pid, then 2 for "the scheduler's clock".
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9
