"""The routes file as a change finds it: good, bad or gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.config.loader import Loaded, digest_of, load_text
from gateway.config.problem import ConfigError, Problem
from gateway.config.source import NO_FILE, read


@dataclass(frozen=True, slots=True)
class Found:
    """``content`` is None where there is no file; ``loaded`` is None where it is bad, and ``problems`` say why."""

    source: str
    content: bytes | None
    loaded: Loaded | None
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """ "" where there is no file."""
        return "" if self.content is None else digest_of(self.content)


def find(path: Path) -> Found:
    """Read the file; a bad one raises nothing here, because a roll-back can do without.

    Variables that are not set in this environment are no mistake: the gateway has its own. Raises ConfigError for
    what is there and cannot be read, or is no file.
    """
    source = path.name
    try:
        content = read(path, source)
    except ConfigError as error:
        if error.problems[0].message != NO_FILE:
            raise
        return Found(source, None, None, error.problems)
    try:
        return Found(source, content, load_text(content, source, keep_unset=True))
    except ConfigError as error:
        return Found(source, content, None, error.problems)
