"""What the project depends on, one requirement a line: so that an image can install it before it has the code.

python requirements.py [EXTRA ...]
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def main(extras: list[str]) -> None:
    project = tomllib.loads(Path(__file__).parent.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *(each for extra in extras for each in optional[extra])):
        print(requirement)


if __name__ == "__main__":
    main(sys.argv[1:])
