"""What is wrong with a routes.yaml, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# More than anyone reads at once: past it, the rest would only bury the first.
MOST_PROBLEMS: Final = 200


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in the file.

    ``line`` and ``column`` count from 1. A configuration that came from a dict has no lines: both are 0, and
    ``source`` then names the place in the dict instead (``routes[2].to``).
    """

    source: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        if self.line == 0:
            return f"{self.source}: {self.message}"
        return f"{self.source}:{self.line}:{self.column}: {self.message}"


class ConfigError(Exception):
    """A configuration was refused. ``problems`` holds all that is wrong with it, in the order of the file.

    Past MOST_PROBLEMS, the last of them says that there are more.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(set(problems))
        if len(found) > MOST_PROBLEMS:
            after = found[MOST_PROBLEMS]
            found[MOST_PROBLEMS:] = [Problem(after.source, after.line, after.column, "and more problems from here on")]
        self.problems: tuple[Problem, ...] = tuple(found)
        super().__init__("\n".join(map(str, self.problems)))
