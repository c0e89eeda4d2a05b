"""What the backends say that they have done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


class Ledger:
    """The books of all backends, one file each, in one folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def book(self, app: str) -> Path:
        """Where the backend of this name writes."""
        return self.folder / app

    def done(self, method: str) -> Counter[str]:
        """How often each request with this method was done, by whichever backend."""
        counts: Counter[str] = Counter()
        for path in self.folder.iterdir():
            for line in path.read_text().splitlines():
                verb, _, name = line.partition(" ")
                if verb == method:
                    counts[name] += 1
        return counts
