"""How long to wait before a worker that died is replaced."""

from __future__ import annotations

FIRST = 0.5
LONGEST = 30.0
# A worker that has been ready for this long died of something that happened, not of being started.
STAYED_UP = 10.0


class Backoff:
    """Counts the deaths of one worker's successive processes. Times are in seconds.

    A single death costs nothing: the replacement starts at once. From the second on, processes that die soon after
    they began are replaced after 0.5, 1, 2 … 30 s, so that a crash at import does not burn a core.
    """

    def __init__(self) -> None:
        self._soon = 0

    def died(self, served: float) -> float:
        """The wait after the death of a process that was ready for ``served`` seconds (0: never)."""
        if served >= STAYED_UP:
            self._soon = 0
            return 0.0
        self._soon += 1
        if self._soon == 1:
            return 0.0
        return float(min(FIRST * 2.0 ** min(self._soon - 2, 16), LONGEST))
