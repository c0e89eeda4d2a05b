"""What came of one look at routes.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.config.problem import Problem


@dataclass(frozen=True, slots=True)
class Reload:
    """``version`` and ``digest`` are those that serve now, whatever the outcome. ``seconds`` is how long it took.

    ``missing`` means that there was nothing to read: no file, or a blank one.
    """

    outcome: Literal["applied", "unchanged", "rejected", "missing"]
    version: int
    digest: str
    problems: tuple[Problem, ...]
    seconds: float
