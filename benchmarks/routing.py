"""What a match costs in tables of 10, 1,000 and 10,000 routes: `python -m benchmarks.routing`.

The goal is about a rotation of a few hundred different paths. A second table goes through thousands, so that hardly a
node is still in the processor's first caches when its turn comes. The work is the same: valgrind's callgrind counts
9,187, 9,218 and 9,191 instructions a match for the three sizes. The waiting for memory is not. It has no goal, and is
there to be seen.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.instructions import Counter, available
from benchmarks.report import goal, table
from gateway.routing.path import canonical
from gateway.routing.table import Rule, Table
from gateway.routing.template import parse

SIZES = (10, 1_000, 10_000)
LIMIT = 1.15
ROUNDS = 60
MATCHES_A_ROUND = 10_000

Request = tuple[str, str]


@dataclass(slots=True)
class Subject:
    """One table and what is asked of it, with what was measured: seconds a match, one entry a round."""

    routes: int
    table: Table[str]
    requests: Sequence[Request]
    seconds: list[float] = field(default_factory=list)
    instructions: float | None = None

    def spend(self, matches: int) -> None:
        """Match at least as often, and each request equally often."""
        match = self.table.match
        headers: list[tuple[bytes, bytes]] = []
        for _ in range(-(-matches // len(self.requests))):
            for method, path in self.requests:
                match(method, path, headers, b"")

    def ratio_to(self, base: Subject) -> float:
        return statistics.median(mine / other for mine, other in zip(self.seconds, base.seconds, strict=True))


def build(routes: int) -> Table[str]:
    """Five routes for each resource, as a JSON API has them: literals, typed and plain parameters, methods."""
    entries = []
    for resource in range(routes // 5):
        base = f"/api/v1/resource{resource:05}"
        for methods, path in [
            ("GET", base),
            ("POST", base),
            ("GET", f"{base}/search"),
            ("GET PUT DELETE", f"{base}/{{id:int}}"),
            ("GET", f"{base}/{{id:int}}/items/{{item}}"),
        ]:
            entries.append((Rule(parse(path), frozenset(methods.split())), f"{methods} {path}"))
    return Table(entries)


def requests(routes: int, count: int) -> list[Request]:
    """``count`` requests, of the same lengths for every size, for routes from all over the table."""
    chance = random.Random(1)
    asked = []
    for number in range(count):
        base = f"/api/v1/resource{chance.randrange(routes // 5):05}"
        some_id, item = chance.randrange(10_000, 99_999), chance.randrange(10_000, 99_999)
        method, path = [
            ("GET", base),
            ("POST", base),
            ("GET", f"{base}/search"),
            ("PUT", f"{base}/{some_id}"),
            ("GET", f"{base}/{some_id}/items/{item}"),
        ][number % 5]
        asked.append((method, canonical(path.encode())[0]))
    return asked


def run(paths: int) -> list[Subject]:
    """Measure all sizes in turns, so that a change of the machine's pace meets them alike."""
    subjects = [Subject(size, build(size), requests(size, paths)) for size in SIZES]
    for subject in subjects:
        for method, path in subject.requests:
            assert subject.table.match(method, path, [], b"") is not None
    for number in range(ROUNDS):
        for subject in subjects if number % 2 == 0 else reversed(subjects):
            started = time.process_time()
            subject.spend(MATCHES_A_ROUND)
            subject.seconds.append((time.process_time() - started) / MATCHES_A_ROUND)
    if available():
        for subject in subjects:
            with Counter(os.getpid()) as counter:
                subject.spend(50 * MATCHES_A_ROUND)
            if counter.instructions is not None:
                subject.instructions = counter.instructions / (50 * MATCHES_A_ROUND)
    return subjects


def show(paths: int) -> list[Subject]:
    subjects = run(paths)
    table(
        f"One match, {paths} different paths in turn",
        ["routes", "µs, least", "µs, median", "ratio", "instr."],
        [
            [
                f"{subject.routes:,}",
                f"{min(subject.seconds) * 1e6:.2f}",
                f"{statistics.median(subject.seconds) * 1e6:.2f}",
                f"{subject.ratio_to(subjects[0]):.2f}",
                "n/a" if subject.instructions is None else f"{subject.instructions:,.0f}",
            ]
            for subject in subjects
        ],
    )
    return subjects


def main() -> bool:
    """Print the tables, and return whether the goals are met."""
    few = show(200)
    met = [goal(f"{s.routes:,} routes to {few[0].routes}", s.ratio_to(few[0]), LIMIT) for s in few[1:]]
    show(2_000)
    print("  no goal: what is above the table before is the processor waiting for memory")
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
