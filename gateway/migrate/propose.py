"""From two inventories to the entries of a first routes.yaml, each of which can be moved without moving another.

The one thing to take care of: an entry that is moved must take with it what its own endpoint answers, and nothing
else. So where a wider path would take along an endpoint that only the legacy app has, that gets an entry, too, a pin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gateway.migrate.cells import ANY, Cell, Key, cells_of, key_of, known, order_is_uncertain, rules_overlap
from gateway.migrate.entry import Entry, LeftOut, Proposal, in_order, merged
from gateway.migrate.inventory.compare import Compared, Comparison, OnlyNew, shared_path
from gateway.migrate.inventory.endpoint import Endpoint
from gateway.migrate.resource import resource_of
from gateway.routing.template import Kind


def propose(comparison: Comparison) -> Proposal:
    """Entries for what both apps have, for what must not be taken along, and for what only the new app has."""
    cells = cells_of([each.endpoint for each in comparison.legacy])
    left_out: list[LeftOut] = []
    both = _both(comparison, cells, left_out)
    new = _only_new(comparison.only_new, both, cells, left_out)
    pins = _pins([*both, *new], cells)
    return Proposal(tuple(_with_reach(each, cells) for each in (*both, *pins, *new)), merged(left_out))


def _both(comparison: Comparison, cells: dict[tuple[Key, str], Cell], left_out: list[LeftOut]) -> list[Entry]:
    compared = {id(each.endpoint): each for each in comparison.legacy}
    found: dict[tuple[Key, int], _Growing] = {}
    owners = {place: cell.endpoints[0] for place, cell in cells.items()}
    for each in comparison.legacy:
        if not each.on_both_sides:
            continue
        blocked: dict[str, list[str]] = defaultdict(list)
        for path in each.endpoint.paths:
            narrow = shared_path(path, each.narrowed)
            key = key_of(narrow, each.endpoint.host)
            for method in known(each.methods):
                # HEAD goes with GET, and stays with it.
                decisive = "GET" if method == "HEAD" and "GET" in each.methods else method
                why = _blocked(decisive, path, narrow, each, cells, compared)
                if why:
                    blocked[why].append(method)
                    continue
                owner = owners.setdefault((key, method), each.endpoint)
                growing = found.setdefault((key, id(owner)), _Growing(narrow))
                growing.add(method, each)
        left_out += [LeftOut(each.endpoint, in_order(methods), why) for why, methods in blocked.items()]
    return [growing.entry() for growing in found.values()]


def _blocked(
    method: str,
    path: str,
    narrow: str,
    each: Compared,
    cells: dict[tuple[Key, str], Cell],
    compared: dict[int, Compared],
) -> str | None:
    """Why this method of an endpoint cannot have an entry of its own; None if it can."""
    host = each.endpoint.host
    if narrow != path and (key_of(narrow, host), method) in cells:
        other = cells[key_of(narrow, host), method].endpoints[0]
        return f"of its requests, the new app takes only those that are for {other.label} here"
    for other in cells[key_of(path, host), method].endpoints if (key_of(path, host), method) in cells else ():
        if other is each.endpoint or method in compared[id(other)].methods:
            continue
        if other.exact and each.endpoint.exact and other.kind == each.endpoint.kind:
            continue  # one of two equal rules: the app itself never comes to the second
        return f"the gateway cannot tell its path from that of {other.label}, which only the legacy app has"
    return None


class _Growing:
    """An entry whose endpoints have not all been seen."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._methods: set[str] = set()
        self._compared: dict[int, Compared] = {}

    def add(self, method: str, each: Compared) -> None:
        self._methods.add(method)
        self._compared[id(each.endpoint)] = each

    def entry(self) -> Entry:
        all_of_them = list(self._compared.values())
        endpoint = all_of_them[0].endpoint
        return Entry(
            section="both",
            path=self._path,
            methods=() if ANY in self._methods else in_order(self._methods),
            host=endpoint.host,
            group=resource_of(self._path, endpoint.host),
            endpoints=tuple(each.endpoint for each in all_of_them),
            remarks=tuple(dict.fromkeys(remark for each in all_of_them for remark in _remarks(each))),
        )


def _remarks(each: Compared) -> Iterator[str]:
    yield from each.endpoint.notes
    for narrowed in each.narrowed:
        what = f"{narrowed.name} is of the type {narrowed.legacy} in the legacy app, and {narrowed.new} in the new one"
        yield what + (": the rest stays" if narrowed.kind is not Kind.SEGMENT else "")
    if each.missing:
        missing = in_order(each.missing)
        stays = "is missing in the new app, and stays" if len(missing) == 1 else "are missing in the new app, and stay"
        yield f"{', '.join(missing)} {stays}"
    if each.endpoint.kind == "static":
        yield "files: the two apps give them different ETags, so move it whole rather than split it"


def _only_new(
    only_new: Iterable[OnlyNew], both: list[Entry], cells: dict[tuple[Key, str], Cell], left_out: list[LeftOut]
) -> list[Entry]:
    taken = {(key_of(each.path, each.host), method) for each in both for method in each.methods or (ANY,)}
    found: dict[Key, tuple[Endpoint, str, set[str]]] = {}
    for each in only_new:
        for path in each.endpoint.paths:
            key = key_of(path, each.endpoint.host)
            for method in known(each.methods):
                rule = Cell(path, each.endpoint.host, method, ()).rule
                wider = [c for c in cells.values() if rules_overlap(rule, c.rule) and not rule.order < c.rule.order]
                if wider or (key, method) in taken:
                    legacy = wider[0].endpoints[0].label if wider else "another endpoint"
                    left_out.append(
                        LeftOut(each.endpoint, in_order({method}), f"the legacy app has {legacy} in its reach")
                    )
                    continue
                found.setdefault(key, (each.endpoint, path, set()))[2].add(method)
    return [
        Entry(
            section="new",
            path=path,
            methods=() if ANY in methods else in_order(methods),
            host=endpoint.host,
            group=None,
            endpoints=(endpoint,),
            remarks=endpoint.notes,
        )
        for endpoint, path, methods in found.values()
    ]


def _with_reach(entry: Entry, cells: dict[tuple[Key, str], Cell]) -> Entry:
    """``entry`` with the endpoints of other cells that it may take requests from."""
    rule = entry.rule
    exact = all(each.exact for each in entry.endpoints)
    reach: dict[int, Endpoint] = {}
    for cell in cells.values():
        other = cell.rule
        if not rules_overlap(rule, other) or not rule.order < other.order:
            continue
        coarse = any(each.coarse for each in cell.endpoints)
        if exact and entry.section != "new" and not coarse and not order_is_uncertain(rule.template, other.template):
            continue
        for endpoint in cell.endpoints:
            if not any(endpoint is own for own in entry.endpoints):
                reach[id(endpoint)] = endpoint
    if not reach:
        return entry
    labels = ", ".join(each.label for each in reach.values())
    remark = f"it may take requests of {labels} along"
    if entry.section == "new":
        remark = f"in the legacy app, these requests are for {labels}"
    return Entry(
        entry.section,
        entry.path,
        entry.methods,
        entry.host,
        entry.group,
        entry.endpoints,
        (*entry.remarks, remark),
        tuple(reach.values()),
    )


def _pins(entries: list[Entry], cells: dict[tuple[Key, str], Cell]) -> list[Entry]:
    """Entries for what only the legacy app has, and what one of ``entries`` would take along."""
    taken = {(key_of(each.path, each.host), method) for each in entries for method in each.methods or (ANY,)}
    rules = [each.rule for each in entries]
    found: dict[Key, list[Cell]] = defaultdict(list)
    for place, cell in cells.items():
        if place in taken:
            continue
        rule = cell.rule
        if any(rules_overlap(rule, other) and rule.order < other.order for other in rules):
            found[place[0]].append(cell)
    return [
        Entry(
            section="pinned",
            path=pinned[0].path,
            methods=() if any(each.method == ANY for each in pinned) else in_order(each.method for each in pinned),
            host=pinned[0].host,
            group=None,
            endpoints=tuple({id(each): each for cell in pinned for each in cell.endpoints}.values()),
            remarks=("a redirect to the same path with a slash",) if all(each.redirected for each in pinned) else (),
        )
        for pinned in found.values()
    ]
