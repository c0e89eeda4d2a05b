"""What a second run of init proposes: only what is new, and nothing that would send a request elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.config.model import Config, RouteConfig
from gateway.config.rule_of import rule_of
from gateway.migrate.cells import ANY, rules_overlap
from gateway.migrate.entry import Entry, LeftOut, Proposal, in_order, merged
from gateway.routing.rule import Rule


@dataclass(frozen=True, slots=True)
class _Known:
    """A route of the file."""

    route: RouteConfig
    rule: Rule
    stays: bool  # whether all of its requests go to the default


def additions(proposal: Proposal, config: Config) -> Proposal:
    """The entries that the file lacks. Each of them goes where its requests go now, to the default."""
    known = [_Known(route, rule_of(route), _stays(route, config)) for route in config.routes]
    entries: list[Entry] = []
    left_out = list(proposal.left_out)
    for entry in proposal.entries:
        lacking: list[str] = []
        for method in entry.methods or (ANY,):
            rule = Rule(entry.rule.template, frozenset() if method == ANY else frozenset({method}), entry.host)
            if any(_has(each, rule) for each in known):
                continue
            sent = next(_sent_elsewhere(known, rule), None)
            if sent is not None:
                why = f"the route {sent.label} of the file sends it elsewhere already"
                left_out += [LeftOut(each, in_order({method}), why) for each in entry.endpoints]
                continue
            lacking.append(method)
        # A file that has GET has decided about the endpoint; HEAD alone is no news.
        if lacking and (lacking != ["HEAD"] or entry.methods == ("HEAD",)):
            methods = () if lacking == [ANY] else tuple(lacking)
            entries.append(entry if methods == entry.methods else replace(entry, methods=methods))
    return Proposal(tuple(_in_their_groups(entries, config)), merged(left_out))


def _stays(route: RouteConfig, config: Config) -> bool:
    return all(backend == config.default for backend, weight in route.weights if weight > 0)


def _has(known: _Known, rule: Rule) -> bool:
    """Whether the file has a route for just these requests, whatever else that takes."""
    mine = known.rule
    return (
        not mine.conditional
        and mine.template.shape == rule.template.shape
        and mine.host == rule.host
        and (not mine.methods or (bool(rule.methods) and rule.methods <= mine.methods))
    )


def _sent_elsewhere(known: Sequence[_Known], rule: Rule) -> Iterator[RouteConfig]:
    """The routes from which a new one for ``rule`` would take requests back to the default."""
    for each in known:
        if not each.stays and rules_overlap(rule, each.rule) and rule.order < each.rule.order:
            yield each.route


def _in_their_groups(entries: list[Entry], config: Config) -> Iterator[Entry]:
    """A group of the file may be sticky in a way of its own, which a new route of it has to share."""
    stickies = {route.group: route.sticky or config.defaults.sticky for route in config.routes if route.group}
    for entry in entries:
        sticky = stickies.get(entry.group, config.defaults.sticky) if entry.group is not None else None
        # With `sticky: none`, a group cannot be.
        differs = sticky is not None and (sticky == "none" or sticky != config.defaults.sticky)
        yield replace(entry, group=None) if differs else entry
