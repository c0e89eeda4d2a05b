"""The texts of the versions, each in a file named by its digest: a text that comes back is kept once."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from gateway.config.loader import digest_of
from gateway.history.folder import make_private, put

_DIGEST: Final = re.compile(r"[0-9a-f]{12}")


class Texts:
    """Plain files, so that a person finds the last good one with nothing but ``ls -t`` and ``cp``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> str | None:
        """None where it is not there, cannot be read, or is not the text that had this digest."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        return content.decode() if digest_of(content) == digest else None

    def put(self, digest: str, text: str) -> None:
        """Raises OSError."""
        if self.get(digest) is None:
            make_private(self._folder)
            put(self._path(digest), text.encode())

    def sizes(self) -> dict[str, int]:
        """The bytes that each text takes. Raises OSError."""
        try:
            with os.scandir(self._folder) as entries:
                return {
                    each.name.removesuffix(".yaml"): each.stat().st_size
                    for each in entries
                    if each.name.endswith(".yaml") and not each.name.startswith(".")
                }
        except FileNotFoundError:
            return {}

    def drop_all_but(self, wanted: Collection[str]) -> None:
        """Raises OSError."""
        for digest in self.sizes().keys() - set(wanted):
            with contextlib.suppress(FileNotFoundError):
                self._path(digest).unlink()

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.yaml"
