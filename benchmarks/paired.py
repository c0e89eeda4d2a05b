"""CPU per request of two or more servers, measured in turns.

Machines change pace within seconds (turbo, neighbours, caches). So the servers all run at once, each is driven for a
short round in turn, and a ratio is taken inside each round between neighbours in time; the median of these ratios is
the result. The servers share one CPU, of which only one at a time has use, and the load generator has the others. The
order changes from round to round, so that nobody always comes after the same neighbour.
"""

from __future__ import annotations

import os
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.cpu import tree_seconds
from benchmarks.instructions import Counter
from benchmarks.load import Request, drive
from benchmarks.report import percentile
from benchmarks.server import Server, server_cpus


@dataclass(slots=True)
class Subject:
    """One row of the table: a server, what is asked of it, and what was measured, one entry a round."""

    name: str
    server: Server
    requests: Sequence[Request]
    cpu: list[float] = field(default_factory=list)  # seconds a request
    rate: list[float] = field(default_factory=list)  # requests a second
    instructions: list[float] = field(default_factory=list)  # user-mode instructions a request
    latencies: list[float] = field(default_factory=list)  # seconds

    def ratios_to(self, base: Subject) -> list[float]:
        return [mine / other for mine, other in zip(self.cpu, base.cpu, strict=True)]

    def row(self, base: Subject) -> list[str]:
        """Name, µs of CPU a request, ratio with its quartiles, requests a second, p50 and p99 in ms."""
        ratios = sorted(self.ratios_to(base))
        ratio = "1.00" if self is base else f"{statistics.median(ratios):.2f}"
        spread = "" if self is base else f"{percentile(ratios, 25):.2f} to {percentile(ratios, 75):.2f}"
        times = sorted(self.latencies)
        counted = f"{statistics.median(self.instructions) / 1000:.0f}k" if self.instructions else "n/a"
        return [
            self.name,
            f"{statistics.median(self.cpu) * 1e6:.1f}",
            ratio,
            spread,
            counted,
            f"{statistics.median(self.rate):,.0f}",
            f"{percentile(times, 50) * 1e3:.2f}",
            f"{percentile(times, 99) * 1e3:.2f}",
        ]


COLUMNS = ["", "CPU µs/request", "ratio", "quartiles", "instr.", "requests/s", "p50 ms", "p99 ms"]


def measure(
    subjects: Sequence[Subject], *, connections: int, rounds: int, seconds: float, warm_up: float = 1.0
) -> None:
    """Fill the subjects: ``rounds`` rounds of ``seconds`` each, after a warm-up that is not counted.

    The servers should have been started on ``server_cpus()``: the load generator keeps to the others.
    """
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, usable - server_cpus() or usable)
    try:
        _take_turns(subjects, connections, rounds, seconds, warm_up)
    finally:
        os.sched_setaffinity(0, usable)


def _take_turns(subjects: Sequence[Subject], connections: int, rounds: int, seconds: float, warm_up: float) -> None:
    for subject in subjects:
        drive(subject.server.address, subject.requests, connections=connections, seconds=warm_up)
    order = list(subjects)
    chance = random.Random(7)
    for _ in range(rounds):
        chance.shuffle(order)
        for subject in order:
            _round(subject, connections, seconds)


def _round(subject: Subject, connections: int, seconds: float) -> None:
    with Counter(subject.server.pid) as counter:
        before = tree_seconds(subject.server.pid)
        tally = drive(subject.server.address, subject.requests, connections=connections, seconds=seconds)
        spent = tree_seconds(subject.server.pid) - before
    subject.cpu.append(spent / tally.answers)
    subject.rate.append(tally.answers / tally.seconds)
    subject.latencies.extend(tally.latencies)
    if counter.instructions is not None:
        subject.instructions.append(counter.instructions / tally.answers)
