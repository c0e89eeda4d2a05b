"""What the control process tells a worker on its command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gateway.control.access_log import LogTarget
from gateway.telemetry.access_line import Format

# Seconds beyond the drain time in which the apps may shut down.
GRACE = 5
# Seconds for which a worker that is to end keeps idle connections, since they may bring a request yet; and if another
# has taken over, so that nobody waits for the end.
LAST_CALL = 0.3
PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Options:
    """``listeners`` and ``lifeline`` are inherited file descriptors, ``drain_timeout`` is in seconds.

    ``runtime`` is the directory of this run. In it the worker keeps its numbers, in ``slots``, and the text of what it
    serves, in ``DIGEST.yaml``. ``last_good`` is the digest of what serves now, if the file should turn out to be bad.
    The last three are what LogTarget is made of.
    """

    routes: Path
    number: int
    listeners: tuple[int, ...]
    lifeline: int
    runtime: Path
    slots: Path
    last_good: str
    drain_timeout: int
    access_log: str
    access_log_format: Format
    access_log_descriptor: int

    @property
    def log_target(self) -> LogTarget:
        return LogTarget(self.access_log, self.access_log_format, self.access_log_descriptor)

    def arguments(self) -> list[str]:
        values = asdict(self)
        values["listeners"] = ",".join(map(str, self.listeners))
        return [f"--{name}={value}" for name, value in values.items()]

    @classmethod
    def parse(cls, arguments: list[str]) -> Options:
        kinds: dict[str, Callable[[str], object]] = {
            "Path": Path,
            "int": int,
            "str": str,
            "Format": str,
            "tuple[int, ...]": _descriptors,
        }
        parser = argparse.ArgumentParser(prog="python -m gateway.control.worker")
        for field in fields(cls):
            parser.add_argument(f"--{field.name}", type=kinds[str(field.type)], required=True)
        return cls(**vars(parser.parse_args(arguments)))


def _descriptors(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def text_path(runtime: Path, digest: str) -> Path:
    """Where a worker puts the text of the configuration that it serves."""
    return runtime / f"{digest}.yaml"


def board_path(runtime: Path) -> Path:
    """Where the control process writes down which addresses of remote apps are well."""
    return runtime / "health"
