"""What a command's exit code means. docs/command-line.md tells users."""

from __future__ import annotations

from typing import Final

# It was written but is not live, or the gateway refused it, or could not be reached; or it could not be written.
NOT_DONE: Final = 1
# A bad flag, a bad file, or a route, backend or version that there is not. Nothing was changed.
BAD_REQUEST: Final = 2
# The file is not the one that the plan was made from. Nothing was changed: look at it, and try again.
CHANGED_UNDERNEATH: Final = 3
# By Ctrl-C, as shells have it.
INTERRUPTED: Final = 130
