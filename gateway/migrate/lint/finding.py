"""What lint has to say, and the rules that say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gateway.config.position import Path

if TYPE_CHECKING:
    from gateway.migrate.lint.subject import Subject

# "note": worth knowing, but nothing is wrong now. It does not fail a CI job.
Level = Literal["warning", "note"]
# What a rule has to look at beside the file. An OpenAPI document stands in for an app, but not for "... app".
Need = Literal["legacy", "new", "legacy app", "new app"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``message`` is about the value at ``path``; ``route`` is the label of its route, "" for what is none's."""

    path: Path
    message: str
    level: Level = "warning"
    route: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that lint looks for. ``why`` it matters and the ``remedy`` are the same for all its findings."""

    code: str
    title: str
    why: str
    remedy: str
    needs: tuple[Need, ...]
    find: Callable[[Subject], Iterator[Finding]]


def rule(
    code: str, title: str, *, why: str, remedy: str, needs: tuple[Need, ...] = ()
) -> Callable[[Callable[[Subject], Iterator[Finding]]], Rule]:
    """Makes a rule of a function that finds."""
    return lambda find: Rule(code, title, why, remedy, needs, find)
