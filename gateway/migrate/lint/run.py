"""From the file and the two apps to what lint says: where, in which order, and what was ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gateway.config.position import Positions
from gateway.config.problem import Problem
from gateway.migrate.lint.finding import Finding, Level, Need, Rule
from gateway.migrate.lint.ignores import Ignore, ignores
from gateway.migrate.lint.rules import BY_CODE, RULES, UNKNOWN_CODE, UNUSED_IGNORE
from gateway.migrate.lint.subject import Subject

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Told:
    """A finding of a rule, with its place in the file. ``where.message`` is what is wrong."""

    rule: Rule
    level: Level
    where: Problem
    route: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not look, and what it would have needed."""

    rule: Rule
    missing: Need


@dataclass(frozen=True, slots=True)
class Result:
    """``told`` in the order of the file. ``ignored`` is how many findings a comment has put aside."""

    told: tuple[Told, ...]
    skipped: tuple[Skipped, ...]
    ignored: int

    @property
    def warnings(self) -> int:
        return sum(each.level == "warning" for each in self.told)


def lint(subject: Subject, codes: Collection[str] | None = None) -> Result:
    """All that the rules with these ``codes`` find; without them, all rules. Raises nothing."""
    wanted = [rule for rule in RULES if codes is None or rule.code in codes]
    skipped = [Skipped(rule, need) for rule in wanted if (need := _missing(rule, subject)) is not None]
    run = [rule for rule in wanted if all(each.rule is not rule for each in skipped)]
    positions = subject.loaded.positions()
    comments = list(ignores(subject.loaded.text.removeprefix(_BOM)))
    told: list[Told] = []
    used: set[Ignore] = set()
    ignored = 0
    for rule in run:
        for finding in rule.find(subject):
            by = _ignored_by(rule, finding, comments, positions)
            used.update(by)
            if by:
                ignored += 1
            else:
                told.append(Told(rule, finding.level, positions.problem(finding.path, finding.message), finding.route))
    told += _of_comments(subject.loaded.source, comments, used, {rule.code for rule in run})
    told.sort(key=lambda each: (each.where.line, each.rule.code, each.where))
    return Result(tuple(told), tuple(skipped), ignored)


def _missing(rule: Rule, subject: Subject) -> Need | None:
    return next((need for need in rule.needs if not subject.has(need)), None)


def _ignored_by(rule: Rule, finding: Finding, comments: list[Ignore], positions: Positions) -> list[Ignore]:
    if not any(each.code == rule.code for each in comments):
        return []
    # A finding about a key of a route may be ignored at the beginning of the route, too.
    lines = {positions.line(finding.path), positions.line(finding.path[:2])}
    return [each for each in comments if each.code == rule.code and each.about in lines]


def _of_comments(source: str, comments: list[Ignore], used: set[Ignore], run: set[str]) -> Iterator[Told]:
    """What is to be said of the comments; nothing of a code whose rule has not looked."""
    for each in comments:
        rule, message = None, ""
        if each.code not in BY_CODE:
            rule = UNKNOWN_CODE
            message = f"there is no {each.code}" if each.code else "'lint: ignore' names no code"
        elif each.code in run and each not in used:
            rule, message = UNUSED_IGNORE, f"no {each.code} is found on line {each.about}"
        if rule is not None and rule.code in run:
            yield Told(rule, "warning", Problem(source, each.line, each.column, message))
