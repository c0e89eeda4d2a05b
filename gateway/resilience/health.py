"""What active checks say about one address: it takes more than one of them to change anybody's mind."""

from __future__ import annotations


class Health:
    """``up`` is None until the first check that passes, or until enough have failed; nobody is left alone for that.

    After it was down it is up again when ``healthy_after`` checks in a row have passed, and down when
    ``unhealthy_after`` in a row have failed.
    """

    __slots__ = ("_healthy_after", "_in_row", "_unhealthy_after", "up")

    def __init__(self, healthy_after: int, unhealthy_after: int) -> None:
        self._healthy_after = healthy_after
        self._unhealthy_after = unhealthy_after
        # Of those that speak against what is believed now.
        self._in_row = 0
        self.up: bool | None = None

    def __repr__(self) -> str:
        return f"<Health up={self.up} against={self._in_row}>"

    def passed(self) -> bool:
        """One more check has passed. Returns whether ``up`` has changed by it."""
        return self._heard(passed=True, enough=1 if self.up is None else self._healthy_after)

    def failed(self) -> bool:
        """One more check has failed. Returns whether ``up`` has changed by it."""
        return self._heard(passed=False, enough=self._unhealthy_after)

    def _heard(self, *, passed: bool, enough: int) -> bool:
        if self.up is passed:
            self._in_row = 0
            return False
        self._in_row += 1
        if self._in_row < enough:
            return False
        self.up = passed
        self._in_row = 0
        return True
