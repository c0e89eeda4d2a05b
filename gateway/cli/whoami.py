"""Who gives the command, for the history."""

from __future__ import annotations

import os
import pwd


def whoami() -> str:
    """The login name; under sudo that of the person, not root or the gateway's user."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
