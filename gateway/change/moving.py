"""Who moves when weights change: exactly, by the intervals that the data plane splits users by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.config.model import SCALE, Config, RouteConfig
from gateway.routing.split import Split

Weights = tuple[tuple[str, int], ...]
# From, to, and the share of all users of the route, in hundredths of a percent.
Moves = tuple[tuple[str, str, int], ...]


def serving(weights: Sequence[tuple[str, int]]) -> Weights:
    """Without those that get nothing."""
    return tuple((backend, weight) for backend, weight in weights if weight > 0)


def moves(before: RouteConfig, old: Config, after: RouteConfig, new: Config) -> Moves:
    """The largest first. See ``redrawn`` for when they are only an average."""
    if redrawn(before, old, after, new):
        moved = Counter(
            {
                (source, target): round(share * other / SCALE)
                for source, share in before.weights
                for target, other in after.weights
            }
        )
    else:
        moved = _overlaid(before, old, after, new)
    found = [(source, target, share) for (source, target), share in moved.items() if source != target and share > 0]
    return tuple(sorted(found, key=lambda move: (-move[2], move)))


def redrawn(before: RouteConfig, old: Config, after: RouteConfig, new: Config) -> bool:
    """Whether every user is drawn anew, because the key or the group that decides has changed."""
    if len(serving(before.weights)) == 1 or len(serving(after.weights)) == 1:
        return False
    return (before.salt, before.sticky or old.defaults.sticky) != (after.salt, after.sticky or new.defaults.sticky)


def _overlaid(before: RouteConfig, old: Config, after: RouteConfig, new: Config) -> Counter[tuple[str, str]]:
    """Both divisions of the line, one on the other."""
    moved: Counter[tuple[str, str]] = Counter()
    theirs = Split(after.weights, new.default).intervals
    for source, start, end in Split(before.weights, old.default).intervals:
        for target, from_, to in theirs:
            shared = min(end, to) - max(start, from_)
            if shared > 0:
                moved[source, target] += shared
    return moved
