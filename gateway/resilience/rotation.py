"""Which of the addresses of a backend get requests, and how many of them one that has come back gets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.resilience.outlier import Outlier, Reason, Settings

# Of its fair share, for one that has just come back.
_FIRST_SHARE: Final = 0.1
# Changes that nobody has asked for are not kept for ever.
_UNTOLD: Final = 100


class Member:
    """One address. ``index`` is its place among the others, ``share`` what it gets of a fair share, from 0 to 1.

    ``down`` is the word of the active checks; ``until`` is when it may come back of those that requests say, 0.0
    while they say nothing against it. ``ejections`` is how often they did: what a request says that went before the
    last one says nothing about the address as it is when it is back.
    """

    __slots__ = ("back_at", "down", "ejections", "index", "outlier", "share", "until")

    def __init__(self, index: int, settings: Settings | None) -> None:
        self.index = index
        self.outlier = None if settings is None else Outlier(settings)
        self.down = False
        self.ejections = 0
        self.until = 0.0
        self.back_at = 0.0
        self.share = 1.0

    def __repr__(self) -> str:
        return f"<Member {self.index} down={self.down} until={self.until} share={self.share:.2f}>"

    @property
    def bad(self) -> bool:
        return self.down or self.until > 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """The address with this index is left out from now on because of ``reason``; or is back, where that is None."""

    index: int
    reason: Reason | None


class Rotation:
    """Never more than half of the addresses are left out, whatever is said about them: the others could not carry the
    load. First come, first left out. When all of them are bad, none is left out: better to try than to refuse.

    ``settings`` are for what requests say, None where they are not asked. ``changes`` are those of that kind. Times
    are of any clock that does not go back, in seconds.
    """

    def __init__(self, count: int, settings: Settings | None) -> None:
        self.members = tuple(Member(index, settings) for index in range(count))
        self.inside: Sequence[Member] = self.members
        self.changes: deque[Change] = deque(maxlen=_UNTOLD)
        self._slow_start = 0.0 if settings is None else settings.slow_start
        # In the order in which they became so.
        self._bad: dict[Member, None] = {}
        self._out: frozenset[Member] = frozenset()
        self._ramping: set[Member] = set()

    def __repr__(self) -> str:
        return f"<Rotation {len(self.inside)} of {len(self.members)}>"

    def is_out(self, member: Member) -> bool:
        return member in self._out

    @property
    def out(self) -> list[int]:
        """The indices of those that are left out."""
        return sorted(member.index for member in self._out)

    def checked(self, member: Member, now: float, *, up: bool) -> bool:
        """The word of the active checks. Returns whether ``inside`` has changed."""
        if member.down is not up:
            return False
        member.down = not up
        return self._judge(member, now)

    def succeeded(self, member: Member, now: float) -> None:
        if member.outlier is not None and not member.until:
            member.outlier.succeeded(now)

    def failed(self, member: Member, now: float) -> bool:
        """Returns whether ``inside`` has changed."""
        if member.outlier is None or member.until:
            return False
        reason = member.outlier.failed(now)
        if reason is None:
            return False
        member.until = member.outlier.eject(now)
        member.ejections += 1
        self.changes.append(Change(member.index, reason))
        return self._judge(member, now)

    def move(self, now: float) -> bool:
        """Time has passed. Returns whether ``inside``, or anybody's share, has changed."""
        changed = False
        for member in self.members:
            if member.until and now >= member.until:
                member.until = 0.0
                self.changes.append(Change(member.index, None))
                changed |= self._judge(member, now)
        for member in tuple(self._ramping):
            changed = True
            passed = now - member.back_at
            if passed >= self._slow_start:
                member.share = 1.0
                self._ramping.discard(member)
            else:
                member.share = max(_FIRST_SHARE, passed / self._slow_start)
        return changed

    def _judge(self, member: Member, now: float) -> bool:
        if member.bad:
            self._bad.setdefault(member)
            self._full_share(member)
        elif member in self._bad:
            del self._bad[member]
            if member in self._out and self._slow_start > 0.0:
                member.back_at = now
                member.share = _FIRST_SHARE
                self._ramping.add(member)
        out: frozenset[Member] = frozenset()
        if len(self._bad) < len(self.members):
            out = frozenset(tuple(self._bad)[: len(self.members) // 2])
        if out == self._out:
            return False
        self._out = out
        self.inside = tuple(each for each in self.members if each not in out)
        return True

    def _full_share(self, member: Member) -> None:
        """For one that is bad and must be used all the same."""
        member.share = 1.0
        self._ramping.discard(member)
