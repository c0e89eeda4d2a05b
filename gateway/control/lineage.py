"""Which configurations have been live, in order, as told by workers that get there one after the other."""

from __future__ import annotations


class Lineage:
    """Configurations are known by their digests and numbered on from ``first``, which is the number of ``digest``.

    Going back to an earlier text is a new version. The workers see the same saves, but not at the same time, and one
    that is slow may leave some out. So a digest that one of them tells of is either new, or a version that another
    has reached before it.
    """

    def __init__(self, digest: str, first: int = 1) -> None:
        self._first = first
        self._digests = [digest]

    @property
    def version(self) -> int:
        """The newest."""
        return self._first + len(self._digests) - 1

    @property
    def digest(self) -> str:
        """Of the newest."""
        return self._digests[-1]

    def arrived(self, digest: str, after: int) -> int:
        """The version of a worker that was on version ``after`` and now serves ``digest``.

        One that no worker has reached before becomes the newest.

        ``after=0`` is a worker that has just started: it is on the latest version with that digest.
        """
        if after == 0:
            for version in range(self.version, self._first - 1, -1):
                if self._digest(version) == digest:
                    return version
        elif digest == self._digest(after):
            return after
        for version in range(max(after + 1, self._first), self.version + 1):
            if self._digest(version) == digest:
                return version
        self._digests.append(digest)
        return self.version

    def is_newest(self, version: int) -> bool:
        """Whether the text of ``version`` is that of the newest; 0 has none."""
        return version > 0 and self._digest(version) == self.digest

    def settled(self, version: int) -> int:
        """The version of a worker that has told of ``version`` and will tell of nothing more: the newest of its text.

        To ``arrived`` one that left out versions, back and forth, is on the first of those that it can be on.
        """
        return self.version if self.is_newest(version) else version

    def _digest(self, version: int) -> str:
        return self._digests[version - self._first]
