"""What the gateway that runs has to say: for commands that do well without it, and better with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.control.run_file import running
from gateway.history.folder import state_folder

# Seconds. Who asks has his answer already, but for this.
_PATIENCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Now:
    """``status`` is what the admin API answers to /api/v1/status; None if there is no answer, which ``why`` says."""

    status: Mapping[str, Any] | None
    why: str = ""


def now(routes: Path, state: Path | None, admin: str | None) -> Now | None:
    """Ask the listener at ``admin``, or that of the gateway which serves ``routes``. None if no gateway does."""
    if admin is None and not _runs(state_folder(routes, state)):
        return None
    # Here, not above: httpx takes a tenth of a second, for nothing where no gateway runs.
    from gateway.cli.listener import Listener, NotTold, listener_url

    try:
        with Listener(admin or listener_url(routes, state), _PATIENCE) as listener:
            return Now(listener.status())
    except NotTold as error:
        return Now(None, str(error))


def _runs(folder: Path) -> bool:
    try:
        return running(folder) is not None
    except PermissionError:
        # One that cannot be looked up is not one that does not run.
        return True
