"""Fuzz one target with atheris, guided by coverage: ``python -m tests.fuzz loader 120``; see `make fuzz`.

What it tries is kept in build/fuzz/, and so is an input that fails, which then becomes a seed.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.corpus import CORPUS

LONGEST = 4096
BUILD = Path("build", "fuzz")


def main(name: str, seconds: int) -> None:
    logging.disable()
    found = BUILD / name
    found.mkdir(parents=True, exist_ok=True)
    # libFuzzer writes to the first folder only.
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={BUILD}/{name}-", "-timeout=10"]
    atheris.Setup([name, *options, str(found), str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
