"""The coverage in words: rows of a table, and the sentences around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.shares import percent
from gateway.migrate.coverage import STATES, Coverage, Row
from gateway.migrate.next_move import Step, next_moves, perhaps_unused
from gateway.migrate.traffic import Traffic

TITLES = ("ENDPOINT", "STATE", "ROUTE", "REQUESTS", "REMARKS")


def state_text(row: Row) -> str:
    if row.state == "canary":
        return f"canary {percent(row.share)} %"
    if row.state == "new only":
        return "new only" if row.share else "new only, closed"
    return row.state


def requests_text(row: Row) -> str:
    """``1234``; ``≤ 1234`` where it shares the count with others; "" without metrics."""
    if row.requests is None:
        return ""
    number = f"{row.requests.most:.0f}"
    return number if row.requests.exact or row.dead else f"≤ {number}"


def remarks_text(row: Row) -> str:
    remarks = list(row.target.remarks)
    if row.misses:
        remarks.insert(0, "the new app does not have it")
    if row.partly:
        remarks.append(f"some of its requests go by {', '.join(row.partly)}")
    if row.compat:
        remarks.append(f"compat: {', '.join(row.compat)}")
    if row.dead:
        remarks.append("dead: nobody has asked for it in the time seen")
    return "; ".join(remarks)


def cells(row: Row) -> tuple[str, ...]:
    return row.target.label, state_text(row), row.route, requests_text(row), remarks_text(row)


def headline(coverage: Coverage) -> Iterator[str]:
    """How far it is, by endpoint and by request."""
    total = len(coverage.rows)
    moved = coverage.count("moved")
    yield f"{moved} of {total} endpoints and methods of the old app have moved ({coverage.moved:.0f} %)"
    counts = [f"{coverage.count(state)} {state}" for state in STATES[1:-1] if coverage.count(state)]
    if counts:
        yield f"{'of the others' if moved else 'of these'}: {', '.join(counts)}"
    yield from beside(coverage)


def beside(coverage: Coverage) -> Iterator[str]:
    """What a bar of the states does not show."""
    if coverage.only_new:
        many = "1 is" if len(coverage.only_new) == 1 else f"{len(coverage.only_new)} are"
        yield f"{many} only in the new app; open: {sum(row.share > 0 for row in coverage.only_new)}"
    if coverage.traffic is not None:
        yield _traffic_line(coverage, coverage.traffic)


def _traffic_line(coverage: Coverage, traffic: Traffic) -> str:
    if coverage.new_traffic is None:
        return f"no requests yet, says {traffic.source}"
    seen = f" in {duration(traffic.seconds)}" if traffic.seconds is not None else ""
    return (
        f"{coverage.new_traffic:.1f} % of {traffic.total:.0f} requests{seen} were answered by the new side, "
        f"says {traffic.source}"
    )


def honesty(coverage: Coverage) -> str | None:
    """What the numbers do not say."""
    if coverage.traffic is None:
        return "no metrics: give --admin URL or --prometheus URL, or run this beside a running gateway"
    if any(row.requests is not None and not row.requests.exact and not row.dead for row in coverage.rows):
        return (
            "requests are counted by route, not by endpoint: ≤ says that it shares the number with others. What no "
            "route names is 'default'; an entry of its own, still to the old app, makes it known"
        )
    return None


def step_line(step: Step) -> str:
    return f"{step.label}: {'; '.join(step.why)}"


def duration(seconds: float) -> str:
    for length, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = round(seconds / length)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{seconds:.0f} seconds"


def as_data(coverage: Coverage, new: str) -> Mapping[str, Any]:
    """All of it as JSON has it; percentages from 0 to 100."""
    traffic = coverage.traffic
    return {
        "moved_percent": round(coverage.moved, 2),
        "counts": {state: coverage.count(state) for state in STATES},
        "traffic": None
        if traffic is None
        else {
            "source": traffic.source,
            "seconds": traffic.seconds,
            "requests": traffic.total,
            "backends": traffic.by_backend(),
            "new_percent": None if coverage.new_traffic is None else round(coverage.new_traffic, 2),
        },
        "endpoints": [_row(row) for row in coverage.rows],
        "only_new": [_row(row) for row in coverage.only_new],
        "next": [
            {
                "route": step.label,
                "endpoints": [row.target.label for row in step.rows],
                "why": list(step.why),
                "command": step.command,
            }
            for step in next_moves(coverage, new)
        ],
        "perhaps_unused": [row.target.label for row in perhaps_unused(coverage)],
    }


def _row(row: Row) -> Mapping[str, Any]:
    target, requests = row.target, row.requests
    return {
        "endpoint": target.label,
        "path": target.path,
        "method": target.method or None,
        "host": target.host,
        "kind": target.kind,
        "name": target.name,
        "source": target.source,
        "state": row.state,
        "new_percent": row.share / 100,
        "route": row.route,
        "partly": list(row.partly),
        "compat": list(row.compat),
        "dead": row.dead if requests is not None else None,
        "requests": None
        if requests is None
        else {"most": requests.most, "exact": requests.exact, "shared_with": requests.others},
        "in_both": target.both,
        "remarks": list(target.remarks),
    }
