"""A project whose routes file was live in several versions."""

from __future__ import annotations

from pathlib import Path

from gateway.change.described import described
from gateway.config.loader import load_text
from gateway.history.folder import state_folder
from gateway.history.history import History
from tests.cli.project import ROUTES

SPLIT = ROUTES.replace("{legacy: 90, new: 10}", "{legacy: 75, new: 25}")
MOVED = ROUTES.replace("{legacy: 90, new: 10}", "new")


def live(folder: Path, *texts: str) -> None:
    """The texts were live one after the other, a minute each; the last is in the file."""
    path = folder / "routes.yaml"
    history = History(state_folder(path))
    before = None
    for version, text in enumerate(texts, 1):
        loaded = load_text(text)
        if version > 1:
            history.announce(loaded.digest, origin="command", user="mia", reason=f"step {version}")
        changes = "the first version" if before is None else described(before.config, loaded.config)
        history.record(version, loaded.digest, text, at=60.0 * version, origin="start", changes=changes)
        history.save()
        before = loaded
    path.write_text(texts[-1])
