"""What to move next: what only reads before what writes, and what is asked for most before what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.config.model import SCALE
from gateway.config.shares import percent
from gateway.migrate.coverage import Coverage, Row

# Who is told of a dozen things to do next has been told of none.
MOST = 5


@dataclass(frozen=True, slots=True)
class Step:
    """``command`` does it; ``why`` are the reasons, one each."""

    label: str
    rows: tuple[Row, ...]
    why: tuple[str, ...]
    command: str


def next_moves(coverage: Coverage, new: str, most: int = MOST) -> tuple[Step, ...]:
    """The first ``most`` steps, the best first. A route moves as a whole, so its targets are one step.

    ``new`` is the name of the new app's backend.
    """
    ready = [row for row in coverage.rows if row.target.both and row.state in ("both", "canary")]
    units: dict[object, list[Row]] = {}
    for row in ready:
        units.setdefault(row.route if row.index is not None else row.target, []).append(row)
    ordered = sorted(units.values(), key=_order)
    return tuple(_step(rows, coverage, new) for rows in ordered[:most])


def perhaps_unused(coverage: Coverage) -> tuple[Row, ...]:
    """What nobody has asked for, and nobody need write anew: to be asked about before it is ported."""
    return tuple(row for row in coverage.rows if row.dead and row.state == "legacy only")


def _order(rows: Sequence[Row]) -> tuple[bool, bool, bool, float]:
    safe = all(row.target.safe for row in rows)
    plain = all(row.target.kind == "http" and not row.target.remarks for row in rows)
    # What has begun is finished before something else is begun.
    begun = any(row.state == "canary" for row in rows)
    return not safe, not plain, not begun, -_most(rows)


def _most(rows: Sequence[Row]) -> float:
    """Known requests; what is only known to be shared counts by an equal part of it."""
    return sum(row.requests.most / (1 + row.requests.others) for row in rows if row.requests is not None)


def _step(rows: Sequence[Row], coverage: Coverage, new: str) -> Step:
    first = rows[0]
    label = first.route if first.index is not None else first.target.label
    command = f"gateway split '{first.route}' {new}=5"
    if first.index is None:
        command = "gateway init --write"
    elif first.state == "canary":
        command = f"gateway split '{first.route}' {new}={percent(_more(first.share))}"
        if first.share >= SCALE // 2:
            command = f"gateway move '{first.route}' {new}"
    return Step(label, tuple(rows), tuple(_why(rows, coverage)), command)


def _more(share: int) -> int:
    """The next of the usual steps of a canary."""
    return next(step for step in (500, 1000, 2500, 5000, SCALE) if step > share)


def _why(rows: Sequence[Row], coverage: Coverage) -> Iterator[str]:
    first = rows[0]
    yield "it only reads" if all(row.target.safe for row in rows) else "it writes: move what reads it in one group"
    if first.state == "canary":
        yield f"the new app has {percent(first.share)} % of it already"
    yield from _traffic(rows, coverage)
    beside = {row.route for row in coverage.rows if row.group == first.group and row.route != first.route}
    if first.group is not None and beside:
        yield f"group {first.group} keeps in step: {', '.join(sorted(beside))}"
    if first.index is None:
        yield "no route names it yet; `gateway init` adds one"
    if any(row.target.kind == "websocket" for row in rows):
        yield "a WebSocket: who is connected stays until it ends"
    if any(row.target.kind == "static" for row in rows):
        yield "files: move them whole, for their ETags differ"
    yield from dict.fromkeys(remark for row in rows for remark in row.target.remarks)


def _traffic(rows: Sequence[Row], coverage: Coverage) -> Iterator[str]:
    if coverage.traffic is None or not coverage.traffic.total:
        return
    known = [row.requests for row in rows if row.requests is not None]
    share = 100 * sum(each.most for each in known) / coverage.traffic.total
    if all(each.none_seen for each in known):
        yield "nobody has asked for it in the time seen"
    elif all(each.exact for each in known):
        yield f"{share:.1f} % of all requests"
    else:
        others = max(each.others for each in known)
        yield f"at most {share:.1f} % of all requests, which it shares with {others} others"
