"""Writing routes.yaml: whole or not at all, and only over what the plan was made from."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.change.change import ChangeError
from gateway.change.plan import Plan
from gateway.history.entry import Origin
from gateway.history.folder import give_to_owner_of, sync_folder, write_all
from gateway.history.history import History

# Seconds that another command may take for writing. It takes milliseconds.
_PATIENCE: Final = 5.0


def apply(path: Path, plan: Plan, history: History, *, origin: Origin, user: str = "", reason: str = "") -> Path | None:
    """Write what was planned, and let the history know who did it.

    Returns where the file's text is kept if the plan discards one that was never live. Raises ChangeError
    ("changed-underneath") if the file is not the one that was planned from, and OSError if it cannot be written:
    nothing has changed then.
    """
    with _alone(path):
        _refuse_if_changed(path, plan)
        kept = history.set_aside(plan.replaces) if plan.discards and plan.replaces is not None else None
        entries = history.entries()
        # The text that is live already makes no version: a note on it would wait there for a wrong one.
        announced = not entries or entries[-1].digest != plan.after.digest
        if announced:
            history.announce(plan.after.digest, origin=origin, user=user, reason=reason, undone_to=plan.undone_to)
        try:
            _write(path, plan.after.text.encode())
        except BaseException:
            if announced:
                history.withdraw(plan.after.digest)
            raise
    return kept


def write(path: Path, plan: Plan) -> None:
    """Write what was planned. Where there is a history, apply tells it too. Raises what apply raises."""
    with _alone(path):
        _refuse_if_changed(path, plan)
        _write(path, plan.after.text.encode())


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One writer at a time, among those that are ours: the second then sees what the first has written.

    The lock is on the folder. One on the file would be on the old file as soon as a new one has taken its place.
    """
    folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _PATIENCE
        while not _locked(folder):
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "another command holds the lock on its folder")
            time.sleep(0.01)
        yield
    finally:
        os.close(folder)


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A network file system without locks: the look at the content right before writing has to do.
        return True
    return True


def _refuse_if_changed(path: Path, plan: Plan) -> None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = None
    if content != plan.replaces:
        what = "is not there any more" if content is None else "has been changed by somebody else meanwhile"
        raise ChangeError("changed-underneath", f"{path.name} {what}; nothing was written: look at it, then try again")


def _write(path: Path, content: bytes) -> None:
    # Where a symbolic link leads: the link is to stay one.
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
    except FileNotFoundError:
        status = None
    if not _replaced(target, content, status):
        _put_in_place(target, content, status)


def _replaced(target: str, content: bytes, status: os.stat_result | None) -> bool:
    """Put a new file in the place of the old. False where only the file itself can be written.

    That is so where the file is mounted by itself, as Docker does with a single file (EBUSY), where the folder may not
    be written to, and where the new file could not be given the old one's owner.
    """
    folder, name = os.path.split(target)
    try:
        file, part = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    except OSError:
        return False
    try:
        try:
            if status is None:
                # What it was like is lost with it; as a gateway under another user has to read it, so can all.
                give_to_owner_of(Path(folder), file)
                os.fchmod(file, 0o644)
            elif not _made_alike(file, target, status):
                return False
            write_all(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(part, target)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
    sync_folder(Path(folder))
    return True


def _made_alike(file: int, target: str, status: os.stat_result) -> bool:
    """Give the new file the owner, the mode and the attributes (access lists, SELinux) of the old one."""
    made = os.fstat(file)
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.fchown(file, status.st_uid, status.st_gid)
        except PermissionError:
            return False
    os.fchmod(file, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(file, name, os.getxattr(target, name))
    return True


def _put_in_place(target: str, content: bytes, status: os.stat_result | None) -> None:
    """Overwrite the file. A reader can see it empty for a moment, which the gateway never takes for a new content."""
    before = b""
    if status is not None:
        before = Path(target).read_bytes()
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.ftruncate(file, 0)
        try:
            write_all(file, content)
        except OSError:
            # The disk is full: the old content had its place there a moment ago.
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            write_all(file, before)
            raise
        os.fsync(file)
    finally:
        os.close(file)
