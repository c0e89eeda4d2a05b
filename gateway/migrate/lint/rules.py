"""All rules, in the order of their codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.migrate.lint import (
    answers,
    fallbacks,
    methods,
    parameters,
    precedence,
    reach,
    sessions,
    slashes,
    splits,
)
from gateway.migrate.lint.finding import Finding, Rule, rule
from gateway.migrate.lint.subject import Subject


def _of_comments(subject: Subject) -> Iterator[Finding]:
    """Nothing of the file itself: run.py finds these, since only it knows what the others have found."""
    return iter(())


UNKNOWN_CODE: Final = rule(
    "SG001",
    "a comment ignores a code that there is not",
    why="It ignores nothing: what it was meant for may be told elsewhere, or never.",
    remedy="write a code of docs/lint.md: `# lint: ignore SG101`",
)(_of_comments)

UNUSED_IGNORE: Final = rule(
    "SG002",
    "a comment ignores what is not found",
    why="What it was for is gone, or is on another line. It would hide the next finding of that kind.",
    remedy="remove the comment, or the code from it",
)(_of_comments)

RULES: Final[tuple[Rule, ...]] = (
    UNKNOWN_CODE,
    UNUSED_IGNORE,
    methods.head_is_refused,
    methods.options_is_refused,
    methods.methods_are_missing,
    methods.endpoints_are_missing,
    methods.unknown_is_not_allowed,
    methods.another_view_answers,
    slashes.slashes_are_turned,
    slashes.slashes_loop,
    slashes.redirects_differ,
    parameters.bad_values_are_422,
    parameters.negative_numbers,
    parameters.new_takes_less,
    parameters.new_takes_anything,
    parameters.parameters_are_swapped,
    parameters.parameters_are_renamed,
    precedence.declared_too_late,
    splits.split_apart,
    splits.writes_without_stickiness,
    splits.files_are_split,
    splits.websockets_are_split,
    splits.default_has_changed,
    sessions.session_cookies_collide,
    sessions.tokens_are_not_checked,
    sessions.forms_cross_over,
    reach.matches_nothing,
    reach.is_shadowed,
    reach.compat_has_no_effect,
    fallbacks.done_twice,
    fallbacks.fallback_of_writes,
    answers.dates_differ,
    answers.forms_of_their_own,
    answers.numbers_differ,
)
BY_CODE: Final = {each.code: each for each in RULES}
