"""From what is asked for to what would be done: the new text, and who moves. No I/O but reading the history."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.change.change import Change, ChangeError, Move, RollBack, Split
from gateway.change.described import described
from gateway.change.diff import unified
from gateway.change.found import Found
from gateway.change.moving import Moves, Weights, moves, redrawn, serving
from gateway.change.naming import find_route
from gateway.change.undo import undone
from gateway.config.editor import EditError, edit
from gateway.config.loader import Loaded, load_text
from gateway.config.model import SCALE, Config, RouteConfig
from gateway.config.problem import ConfigError
from gateway.config.shares import percent
from gateway.config.words import did_you_mean, listed, shorten
from gateway.history.entry import Entry
from gateway.history.history import History


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One route that will go elsewhere.

    Shares are in hundredths of a percent. ``before`` is empty for a route that is new, ``after`` for one that is
    removed. ``moves`` are (from, to, share of all its users).
    """

    label: str
    before: Weights
    after: Weights
    moves: Moves


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written.

    ``before`` is the configuration of the file, or the one that is live where the file is bad. ``replaces`` are the
    bytes that the file must still have when it is written; None: it must not be there. ``notes`` are what a person
    should know beforehand. ``discards``: the text of the file was never live, and is no part of the new one.
    ``undone_to`` goes to the history, see undo.py.
    """

    before: Loaded
    after: Loaded
    routes: tuple[RoutePlan, ...]
    diff: str
    summary: str
    replaces: bytes | None
    notes: tuple[str, ...] = ()
    discards: bool = False
    undone_to: int | None = None


def plan(current: Loaded | Found, change: Change, history: History) -> Plan:
    """Raises ChangeError where it cannot be done, and ConfigError where the file must be repaired first."""
    found = _found(current) if isinstance(current, Loaded) else current
    match change:
        case RollBack(route=None, version=version, everything=False):
            return _restored(found, version, history)
        case _ if found.loaded is None:
            raise ConfigError(found.problems)
        case Move(route=route, backend=backend):
            wanted = _one(found.loaded.config, route, ((backend, SCALE),))
        case Split(route=route, weights=weights):
            wanted = _one(found.loaded.config, route, _filled(weights, found.loaded.config))
        case RollBack(route=None):
            wanted = _everything(found.loaded.config)
        case RollBack(route=str(route)):
            wanted = _one(found.loaded.config, route, ((found.loaded.config.default, SCALE),))
    loaded = found.loaded
    assert loaded is not None
    try:
        after = edit(loaded, wanted)
    except EditError as error:
        raise ChangeError("not-editable", str(error)) from None
    made = _plan(found, loaded, after)
    if isinstance(change, Split):
        [index] = wanted
        named = {loaded.config.default, *change.weights}
        return replace(made, notes=(*_losing(loaded.config.routes[index], named), *made.notes))
    return made


def _found(loaded: Loaded) -> Found:
    return Found(loaded.source, loaded.text.encode(), loaded)


def _one(config: Config, name: str, weights: Weights) -> Mapping[int, Weights]:
    index = find_route(config, name)
    route = config.routes[index]
    for backend, _ in weights:
        if backend not in config.backends:
            meant = did_you_mean(backend, config.backends, otherwise=f"; there are {listed(config.backends, 'and')}")
            raise ChangeError("unknown-backend", f"no backend is called '{shorten(backend)}'{meant}")
    if dict(serving(route.weights)) == dict(weights):
        raise ChangeError("nothing-changes", f"{route.label} goes to {_shares(weights)} already; nothing changes")
    return {index: weights}


def _everything(config: Config) -> Mapping[int, Weights]:
    home = ((config.default, SCALE),)
    wanted = {index: home for index, route in enumerate(config.routes) if serving(route.weights) != home}
    if not wanted:
        raise ChangeError("nothing-changes", f"every route goes to {config.default} already; nothing changes")
    return wanted


def _filled(weights: Mapping[str, int], config: Config) -> Weights:
    """With what is left given to the default; the default first, as files have it."""
    default = config.default
    if not weights or min(weights.values()) < 0 or max(weights.values()) > SCALE:
        raise ChangeError("bad-weights", "a split has percentages from 0 to 100, such as new=25")
    total = sum(weights.values())
    if total > SCALE:
        raise ChangeError("bad-weights", f"the percentages add up to {percent(total)}, more than 100")
    if total < SCALE and default in weights:
        message = f"the percentages add up to {percent(total)}, not 100; leave out {default}, and it gets the rest"
        raise ChangeError("bad-weights", message)
    every = {default: SCALE - total, **weights}
    return serving(tuple(every.items()))


def _losing(route: RouteConfig, named: Collection[str]) -> Iterator[str]:
    """Who only wanted to change the shares of the others may have forgotten these. The default gets what is left."""
    for backend, weight in serving(route.weights):
        if backend not in named:
            yield f"{backend} is not named, and loses its {percent(weight)} %"


def _restored(found: Found, version: int | None, history: History) -> Plan:
    entries = history.entries()
    if not entries and found.content is None:
        # The wrong folder, most likely.
        raise ConfigError(found.problems)
    if version is None:
        target = undone(entries, found.digest, history.announced(found.digest))
    else:
        target = _entry(entries, version)
    after = _text_of(target, found.source, history)
    if found.content == after.text.encode():
        raise ChangeError("nothing-changes", f"{found.source} is version {target.version} already; nothing changes")
    before = found.loaded
    notes: list[str] = []
    if before is None:
        notes.append(f"{found.source} is bad now: {found.problems[0]}")
        before = _text_of(entries[-1], found.source, history)
    elif found.digest != entries[-1].digest and target is entries[-1]:
        notes.append(f"{found.source} as it is now was never live; it goes back to what is")
    made = _plan(found, before, after)
    summary = f"back to version {target.version}: {made.summary}"
    # Restoring what is live is no new version, so there is nothing that the next undo could go on from.
    undone_to = target.version if version is None and target.digest != entries[-1].digest else None
    discards = bool((found.content or b"").strip()) and found.digest not in {entry.digest for entry in entries}
    return replace(made, summary=summary, notes=(*notes, *made.notes), discards=discards, undone_to=undone_to)


def _entry(entries: list[Entry], version: int) -> Entry:
    for entry in entries:
        if entry.version == version:
            return entry
    kept = f"there are {entries[0].version} to {entries[-1].version}" if entries else "none was ever live here"
    raise ChangeError("unknown-version", f"there is no version {version}; {kept}, see `gateway history`")


def _text_of(entry: Entry, source: str, history: History) -> Loaded:
    try:
        text = history.text(entry.version)
    except KeyError:
        message = f"the text of version {entry.version} is not kept; choose another with `gateway rollback --to`"
        raise ChangeError("unknown-version", message) from None
    return load_text(text, source, keep_unset=True)


def _plan(found: Found, before: Loaded, after: Loaded) -> Plan:
    routes = tuple(_routes(before.config, after.config))
    old = (found.content or b"").decode("utf-8", "replace")
    return Plan(
        before=before,
        after=after,
        routes=routes,
        diff=unified(old, after.text, found.source, found.source),
        summary=described(before.config, after.config),
        replaces=found.content,
        notes=tuple(_notes(before.config, after.config, routes)),
    )


def _routes(old: Config, new: Config) -> Iterator[RoutePlan]:
    before = {route.label: route for route in old.routes}
    after = {route.label: route for route in new.routes}
    for label, route in after.items():
        was = before.get(label)
        if was is None:
            yield RoutePlan(label, (), serving(route.weights), ())
        else:
            moved = moves(was, old, route, new)
            if moved or dict(serving(was.weights)) != dict(serving(route.weights)):
                yield RoutePlan(label, serving(was.weights), serving(route.weights), moved)
    for label, route in before.items():
        if label not in after:
            yield RoutePlan(label, serving(route.weights), (), ())


def _notes(old: Config, new: Config, routes: tuple[RoutePlan, ...]) -> Iterator[str]:
    before = {route.label: route for route in old.routes}
    after = {route.label: route for route in new.routes}
    for each in routes:
        if each.before and each.after and redrawn(before[each.label], old, after[each.label], new):
            yield f"the users of {each.label} are drawn anew: what decides who is who has changed"
    yield from _groups(new, {each.label for each in routes})


def _groups(config: Config, changed: set[str]) -> Iterator[str]:
    """A group promises that a user sees one version of all its routes; unequal weights break that promise."""
    groups: dict[str, list[RouteConfig]] = {}
    for route in config.routes:
        if route.group is not None:
            groups.setdefault(route.group, []).append(route)
    for name, members in groups.items():
        shares = {tuple(sorted(serving(route.weights))) for route in members}
        if len(shares) > 1 and any(route.label in changed for route in members):
            others = [route for route in members if route.label not in changed] or members
            stays = "; ".join(f"{route.label} goes to {_shares(serving(route.weights))}" for route in others[:3])
            yield f"group '{name}' is not in step: {stays}"


def _shares(weights: Weights) -> str:
    """``new``, or ``legacy 90 % and new 10 %``."""
    if len(weights) == 1:
        return weights[0][0]
    return listed((f"{backend} {percent(weight)} %" for backend, weight in weights), "and")
