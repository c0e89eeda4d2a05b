"""What the writer of routes.yaml says before he writes: who he is, and why.

The gateway sees a file change, and not who changed it. So a command leaves a note under the digest of the text that
it is about to write, and the gateway finds it when that text becomes live.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Final

from gateway.history.entry import Announcement
from gateway.history.folder import make_private, put

# Seconds. Longer than any reload takes; a note that is older belongs to a text that never became live.
_FRESH: Final = 60.0
_DIGEST: Final = re.compile(r"[0-9a-f]{12}")


class Announcements:
    """One small file for each text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, announcement: Announcement) -> None:
        """Raises OSError."""
        make_private(self._folder)
        put(self._path(announcement.digest), announcement.line())

    def get(self, digest: str) -> Announcement | None:
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            found = Announcement.parse(self._path(digest).read_bytes())
        except (OSError, ValueError):
            return None
        return found if found.digest == digest else None

    def withdraw(self, digest: str) -> None:
        with contextlib.suppress(OSError):
            self._path(digest).unlink()

    def settle(self, digest: str, now: float) -> None:
        """The text with this digest is live at ``now``: its note is done with, and so are those of texts before it.

        If they stayed, an edit by hand that brings such a text again would one day be put down to somebody else.
        """
        own = self.get(digest)
        before = own.at if own is not None else now - _FRESH
        with contextlib.suppress(OSError):
            for path in self._folder.glob("*.json"):
                other = self.get(path.stem)
                if other is None or other.at <= before:
                    path.unlink()

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"
