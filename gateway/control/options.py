"""What the control process tells a worker on its command line."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields
from pathlib import Path

# Seconds beyond the drain time in which the apps may shut down.
GRACE = 5


@dataclass(frozen=True, slots=True)
class Options:
    """``listener`` and ``lifeline`` are inherited file descriptors, ``drain_timeout`` is in seconds.

    ``runtime`` is the directory of this run. In it the worker keeps its numbers, in ``slots``, and the text of what it
    serves, in ``DIGEST.yaml``. ``last_good`` is the digest of what serves now, if the file should turn out to be bad.
    """

    routes: Path
    number: int
    listener: int
    lifeline: int
    runtime: Path
    slots: Path
    last_good: str
    drain_timeout: int

    def arguments(self) -> list[str]:
        return [f"--{name}={value}" for name, value in asdict(self).items()]

    @classmethod
    def parse(cls, arguments: list[str]) -> Options:
        kinds = {"Path": Path, "int": int, "str": str}
        parser = argparse.ArgumentParser(prog="python -m gateway.control.worker")
        for field in fields(cls):
            parser.add_argument(f"--{field.name}", type=kinds[str(field.type)], required=True)
        return cls(**vars(parser.parse_args(arguments)))


def text_path(runtime: Path, digest: str) -> Path:
    """Where a worker puts the text of the configuration that it serves."""
    return runtime / f"{digest}.yaml"
