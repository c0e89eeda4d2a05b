"""What came of one look at routes.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.config.problem import Problem


@dataclass(frozen=True, slots=True)
class Reload:
    """``version`` and ``digest`` are those that serve now, whatever the outcome. ``seconds`` is how long it took."""

    outcome: Literal["applied", "unchanged", "rejected"]
    version: int
    digest: str
    problems: tuple[Problem, ...]
    seconds: float
