"""What every backend of the fault suite answers: the request's own id, and enough to see that nothing is missing.

Imported by the backends, which are processes of their own, and by who judges their answers.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request's target asks of the backend that gets it. ``seconds`` is how long it takes for it."""

    name: str
    size: int
    chunked: bool = False
    seconds: float = 0.0

    @property
    def target(self) -> str:
        return f"/orders/{self.name}?size={self.size}&chunked={int(self.chunked)}&seconds={self.seconds}"

    @classmethod
    def of(cls, target: str) -> Wanted:
        parts = urlsplit(target)
        given = {key: values[0] for key, values in parse_qs(parts.query).items()}
        return cls(
            parts.path.rpartition("/")[2],
            int(given.get("size", 0)),
            given.get("chunked") == "1",
            float(given.get("seconds", 0)),
        )


def stamp(wanted: Wanted, app: str, body: bytes) -> bytes:
    """The answer to a request with this ``body``. ``app`` is who gives it."""
    return json.dumps(
        {
            "id": wanted.name,
            "app": app,
            "got": hashlib.sha256(body).hexdigest(),
            "fill": "." * wanted.size,
            "end": wanted.name,
        }
    ).encode()


class Book:
    """Where a backend writes down what it has done, before it says so. Any number of processes may share it."""

    def __init__(self, path: Path) -> None:
        # With O_APPEND, and one write for each line, lines of several processes do not mix.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, method: str, name: str) -> None:
        os.write(self._file, f"{method} {name}\n".encode())

    def close(self) -> None:
        os.close(self._file)
