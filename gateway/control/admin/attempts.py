"""Slows down who guesses."""

from __future__ import annotations

from collections import OrderedDict

# So many wrong tokens within so many seconds, and an address has to wait until they have passed.
MOST = 10
WINDOW = 60.0
# Addresses that are remembered. An attacker with more of them than this still has 16 characters to guess.
_ADDRESSES = 4096


class Attempts:
    """Counts wrong tokens by client address. Times are in seconds, of a clock that never goes back."""

    def __init__(self) -> None:
        # The beginning of the window and the count in it; who began last is at the end.
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """For how many seconds nothing is accepted from ``address``; 0 if it may try."""
        begun, count = self._failed.get(address, (now, 0))
        return max(0.0, begun + WINDOW - now) if count >= MOST else 0.0

    def failed(self, address: str, now: float) -> None:
        begun, count = self._failed.get(address, (now, 0))
        if now - begun >= WINDOW:
            begun, count = now, 0
            del self._failed[address]
        self._failed[address] = (begun, count + 1)
        if len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)
