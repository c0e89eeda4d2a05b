"""The running gateway as the admin API sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.control.admin.table import LiveTable
from gateway.control.figures.sampler import Sampler
from gateway.control.live import LiveConfig
from gateway.control.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Running:
    """What there is to see."""

    live: LiveConfig
    supervisor: Supervisor
    sampler: Sampler
    table: LiveTable = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", LiveTable(self.live))
