"""The first page: what the admin API's status says, arranged for the eye. Pure: texts and positions, no markup.

The script on the page gets the same status every second and writes the same texts into the same places; what it repeats
of this module is `figures`, `seen` and where the pieces of a bar stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

from gateway.control.admin.limit_view import LimitView
from gateway.control.admin.status import BackendView, FigureView, RouteStatus, Status
from gateway.control.dashboard import words
from gateway.control.dashboard.troubles import made_of, of_backend, of_route

Level = Literal["", "warn", "bad"]

# What the columns of a route and of a backend show, in this order.
MEASURES = (
    ("rate", "Requests/s", "Requests a second, over the last 10 seconds"),
    ("running", "In flight", "Requests being answered now"),
    ("errors", "Errors", "Share of answers with a status of 500 and above, over the last minute"),
    ("p50", "p50", "Half of the requests took no longer than this, over the last minute"),
    ("p95", "p95", "95 of 100 requests took no longer than this, over the last minute"),
)

_WRONG: Final[Mapping[str, Literal["", "refused", "missing"]]] = {
    "live": "",
    "rejected": "refused",
    "missing": "missing",
}

# From this share of errors on, a figure is marked as bad, not only as worth a look.
_BAD = 0.01
# More backends than hues share them: they are told apart by name in any case.
_HUES = 6


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of a bar, in percent from its left end. ``hue`` numbers the backend's colour."""

    backend: str
    hue: int
    start: float
    percent: float


@dataclass(frozen=True, slots=True)
class Figure:
    text: str
    level: Level = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A route. ``figures`` are by measure, and within one by backend.

    ``rest`` is the last row: what no route matches. ``note`` is where it stands and what else decides, ``limit`` how
    many requests there are of those that there may be ("" without a limit), ``troubles`` what is not well.
    """

    label: str
    path: str
    methods: str
    note: str
    to: tuple[Share, ...]
    to_text: str
    seen: str
    figures: tuple[tuple[Figure, ...], ...]
    at_default: bool
    rest: bool
    limit: str
    troubles: tuple[str, ...]

    @property
    def split(self) -> bool:
        return sum(share.percent > 0 for share in self.to) > 1

    @property
    def named(self) -> bool:
        """Whether the label says something else than methods and path."""
        return self.path not in self.label

    @property
    def find(self) -> str:
        """What the filter looks through, in lower case."""
        return f"{self.label} {self.path} {self.note} {self.to_text}".lower()


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    hue: int
    kind: str
    address: str
    share: str
    figures: tuple[Figure, ...]
    limit: str
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worker:
    number: int
    pid: int
    state: str
    version: int
    behind: bool


@dataclass(frozen=True, slots=True)
class Count:
    """How many routes go to one place; ``hue`` -1 is those that are split."""

    name: str
    hue: int
    routes: int
    start: float
    percent: float


@dataclass(frozen=True, slots=True)
class Overview:
    """``live_on`` of the ``planned`` workers serve the live version. ``hues`` has every backend, the default first.

    ``wrong`` is what the file is if not good, and ``problems`` say why.

    ``made_of`` changes with whatever is more than a figure: the script on the page then fetches it anew.
    """

    version: int
    digest: str
    since: float
    wrong: Literal["", "refused", "missing"]
    problems: tuple[str, ...]
    default: str
    hues: Mapping[str, int]
    made_of: str
    moved: int
    total: int
    counts: tuple[Count, ...]
    traffic: tuple[Share, ...]
    backends: tuple[Backend, ...]
    refused: str
    planned: int
    workers: tuple[Worker, ...]
    live_on: int
    rows: tuple[Row, ...]


def overview(status: Status) -> Overview:
    """Arrange what GET /api/v1/status says."""
    config = status.config
    hues = colours((each.name for each in status.backends), status.default)
    traffic = status.migration.traffic
    workers = tuple(
        Worker(each.number, each.pid, each.state, each.version, each.digest != config.digest) for each in status.workers
    )
    return Overview(
        version=config.version,
        digest=config.digest,
        since=config.since,
        wrong=_WRONG[config.state],
        problems=tuple(config.problems),
        default=status.default,
        hues=hues,
        made_of=made_of(status),
        moved=status.migration.routes_moved,
        total=status.migration.routes_total,
        counts=_counts([route for route in status.routes if not _is_rest(route)], hues),
        traffic=shares({name: share * 100 for name, share in traffic.items()}, hues),
        backends=tuple(
            _backend(each, hues[each.name], traffic.get(each.name))
            for each in sorted(status.backends, key=lambda each: list(hues).index(each.name))
        ),
        refused=words.refusals(status.refused),
        planned=status.planned,
        workers=workers,
        live_on=sum(worker.state == "ready" and not worker.behind for worker in workers),
        rows=tuple(_row(route, status.default, hues) for route in status.routes),
    )


def colours(backends: Iterable[str], default: str) -> dict[str, int]:
    """The number of each backend's colour, in the order that they are shown in: the default first."""
    names = sorted(backends, key=lambda name: name != default)
    return {name: place % _HUES for place, name in enumerate(names)}


def shares(percents: Mapping[str, float], hues: Mapping[str, int]) -> tuple[Share, ...]:
    """A bar's pieces, one for each of ``hues`` in its order, so that a script finds every piece in its place."""
    parts = [percents.get(name, 0.0) for name in hues]
    starts = accumulate(parts, initial=0.0)
    return tuple(
        Share(name, hue, round(start, 3), round(part, 3))
        for (name, hue), start, part in zip(hues.items(), starts, parts, strict=False)
    )


def figures(measured: FigureView | None, weight: float) -> tuple[Figure, ...]:
    """A route or a whole backend, by MEASURES. ``weight`` 0 and no traffic is blank: there is nothing to look at."""
    if measured is None:
        return (Figure(words.NOTHING if weight else ""),) * len(MEASURES)
    idle = measured.rate == 0 and measured.error_ratio == 0 and measured.p50 is None
    if idle and measured.in_flight == 0 and not weight:
        return (Figure(""),) * len(MEASURES)
    return (
        Figure(words.rate(measured.rate)),
        Figure(str(measured.in_flight)),
        Figure(words.NOTHING if idle else words.ratio(measured.error_ratio), _level(measured.error_ratio)),
        Figure(words.seconds(measured.p50)),
        Figure(words.seconds(measured.p95)),
    )


def seen(to: Mapping[str, float], observed: Mapping[str, float]) -> str:
    """What a split has come to over the last minute: ``seen 89.7 / 10.3``. "" where there is no split or no traffic."""
    split = [name for name, percent in to.items() if percent > 0]
    if len(split) < 2 or not any(observed.values()):
        return ""
    return "seen " + " / ".join(words.rounded(observed.get(name, 0.0), 1) for name in split)


def to_text(to: Mapping[str, float]) -> str:
    """``new``, or ``legacy 90 % · new 10 %``."""
    split = [(name, percent) for name, percent in to.items() if percent > 0]
    if len(split) == 1:
        return split[0][0]
    return " · ".join(f"{name} {words.percent(percent)} %" for name, percent in split)


def _is_rest(route: RouteStatus) -> bool:
    """The row of what no route matches: it has a label, but no path."""
    return not route.path


def _row(route: RouteStatus, default: str, hues: Mapping[str, int]) -> Row:
    by_backend = [figures(route.backends.get(name), route.to.get(name, 0.0)) for name in hues]
    return Row(
        label=route.label,
        path=route.path,
        methods=" ".join(route.methods),
        note=_note(route),
        to=shares(route.to, hues),
        to_text=to_text(route.to),
        seen=seen(route.to, route.observed),
        figures=tuple(zip(*by_backend, strict=True)),
        at_default=route.to.get(default) == 100,
        rest=_is_rest(route),
        limit=_limit(route.limit),
        troubles=tuple(of_route(route)),
    )


def _limit(limit: LimitView | None) -> str:
    return "" if limit is None else words.limit(limit.in_flight, limit.allowed, limit.waiting, limit.refused)


def _note(route: RouteStatus) -> str:
    split = len([percent for percent in route.to.values() if percent > 0]) > 1
    parts = [
        f"line {route.line}",
        f"host {route.host}" if route.host else "",
        f"group {route.group}" if route.group else "",
        f"sticky {route.sticky}" if split else "",
    ]
    return " · ".join(filter(None, parts))


def _backend(backend: BackendView, hue: int, share: float | None) -> Backend:
    return Backend(
        name=backend.name,
        hue=hue,
        kind=backend.kind,
        address=backend.address,
        share=words.ratio(share),
        figures=figures(backend, 100.0),
        limit=_limit(backend.limit),
        troubles=tuple(of_backend(backend)),
    )


def _counts(routes: Sequence[RouteStatus], hues: Mapping[str, int]) -> tuple[Count, ...]:
    """The routes by where they go: still at the default, split, moved."""
    whole = dict.fromkeys(hues, 0)
    split = 0
    for route in routes:
        names = [name for name, percent in route.to.items() if percent > 0]
        if len(names) == 1:
            whole[names[0]] += 1
        else:
            split += 1
    (default, here), *others = whole.items()
    places = [
        (default, hues[default], here),
        ("split", -1, split),
        *((name, hues[name], many) for name, many in others),
    ]
    starts = accumulate((many for _, _, many in places), initial=0)
    scale = 100 / max(1, len(routes))
    return tuple(
        Count(name, hue, many, round(scale * start, 3), round(scale * many, 3))
        for (name, hue, many), start in zip(places, starts, strict=False)
    )


def _level(error_ratio: float) -> Level:
    if error_ratio >= _BAD:
        return "bad"
    return "warn" if error_ratio > 0 else ""
