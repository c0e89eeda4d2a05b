"""The running gateway as the admin API sees it."""

from __future__ import annotations

from gateway.control.admin.table import LiveTable
from gateway.control.figures.sampler import Sampler
from gateway.control.live import LiveConfig
from gateway.control.supervisor import Supervisor
from gateway.health.checker import Checker


class Running:
    """What there is to see."""

    def __init__(self, live: LiveConfig, supervisor: Supervisor, sampler: Sampler, checker: Checker) -> None:
        self.live = live
        self.supervisor = supervisor
        self.sampler = sampler
        self.checker = checker
        self.table = LiveTable(live)
