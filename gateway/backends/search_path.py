"""Where the modules of import strings are looked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def look_beside(routes: str | os.PathLike[str]) -> None:
    """Make modules in the current folder and beside the file ``routes`` importable, in this order.

    The current folder is named too: a console script has its own folder first on the path, and not that one.
    """
    for folder in (str(Path(routes).absolute().parent), os.getcwd()):
        if folder not in sys.path:
            sys.path.insert(0, folder)
