"""What a roll-back without arguments goes back to.

Every roll-back is a new version, but undo must not undo itself: at night, somebody who asks twice wants to go further
back, not forward to what broke. So a version that an undo brought remembers which version it went back to, and the
next undo goes on from there. A change after it starts anew, as in an editor: what was undone is then reached by its
number only. Going to a version by its number is a change like any other, which undo undoes.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.change.change import ChangeError
from gateway.history.entry import Announcement, Entry


def undone(entries: Sequence[Entry], digest: str, note: Announcement | None) -> Entry:
    """The version to go back to from a file with this digest; ``note`` is what was said of it before it was written.

    A file that is not live, because it is bad or no gateway has read it, goes back to what was live last. Raises
    ChangeError where nothing is before.
    """
    if not entries:
        raise ChangeError(
            "nothing-to-undo",
            "no version was ever live here, so there is nothing to go back to; "
            "`gateway rollback ROUTE` or `--all` sends routes back to the default",
        )
    last = entries[-1]
    at = last.version
    if digest != last.digest:
        if note is None or note.undone_to is None:
            return last
        # Undone, and undone again before any gateway has read it.
        at = note.undone_to
    by_version = {entry.version: entry for entry in entries}
    while (entry := by_version.get(at)) is not None and entry.undone_to is not None and entry.undone_to < at:
        at = entry.undone_to
    earlier = [entry for entry in entries if entry.version < at]
    if not earlier:
        raise ChangeError(
            "nothing-to-undo",
            f"version {at} is the oldest that is kept; `gateway rollback --to VERSION` goes to a newer one, "
            "and `--all` sends every route back to the default",
        )
    return earlier[-1]
