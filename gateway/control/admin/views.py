"""What several answers of the admin API have in common: configuration and workers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from gateway.config.model import RouteConfig
from gateway.control.live import LiveConfig
from gateway.control.supervisor import Supervisor


class WorkerView(BaseModel):
    """``version`` and ``digest`` are of the configuration that it serves; 0 and "" before it does.

    While one takes over from another, both have the same number.
    """

    number: int
    pid: int
    state: Literal["starting", "ready", "draining", "ended"]
    version: int
    digest: str


class ConfigView(BaseModel):
    """``rejected`` means that the file is bad now and that the version given here, an older one, stays live.

    ``missing`` means that there is nothing to read: the file is gone, empty or not to be read, and the same holds.
    """

    state: Literal["live", "rejected", "missing"]
    version: int
    digest: str
    since: float = Field(description="When the version became live, in seconds since the epoch.")
    problems: list[str]


class RouteView(BaseModel):
    """A route as it serves now; ``methods`` is empty where it takes all. ``to`` is in percent."""

    label: str
    path: str
    methods: list[str]
    host: str | None
    group: str | None
    sticky: str
    line: int = Field(description="Its line in the file.")
    to: dict[str, float]


def config_view(live: LiveConfig) -> ConfigView:
    return ConfigView(
        state="missing" if live.missing else "rejected" if live.problems else "live",
        version=live.version,
        digest=live.loaded.digest,
        since=live.since,
        problems=[str(problem) for problem in live.problems],
    )


def worker_views(supervisor: Supervisor) -> list[WorkerView]:
    return [
        WorkerView(number=each.number, pid=each.pid, state=each.state.value, version=each.version, digest=each.digest)
        for each in supervisor.processes
    ]


def route_view(route: RouteConfig, line: int, sticky: str) -> RouteView:
    """``sticky`` is what the file has under `defaults`."""
    return RouteView(
        label=route.label,
        path=route.path,
        methods=list(route.methods or ()),
        host=route.host,
        group=route.group,
        sticky=route.sticky or sticky,
        line=line,
        to={backend: weight / 100 for backend, weight in route.weights},
    )


def etag(live: LiveConfig) -> str:
    """What `If-Match` of a change must say: the text that the change was made for."""
    return f'"{live.loaded.digest}"'
