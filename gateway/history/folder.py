"""The state folder: private, and safe to write to beside others who do."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAME: Final = ".gateway"


def state_folder(routes: Path, given: Path | None = None) -> Path:
    """Where the gateway that serves ``routes`` keeps its state: ``given``, or a folder beside the file.

    By default each file has its own, ``.gateway/routes.yaml/``: the versions of two files in one folder are not one
    history.
    """
    if given is not None:
        return given.absolute()
    routes = routes.absolute()
    return routes.parent / _NAME / routes.name


def make_private(folder: Path) -> None:
    """Make the folder, and those above it, if they are not there. Raises OSError.

    For its owner alone: texts of routes.yaml can hold secrets. One that is there stays as it is.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir(mode=0o700)
            give_to_owner_of(each.parent, each)
            if each.name == _NAME:
                # As in a virtual environment: what belongs to one machine stays out of the repository by itself.
                put(each / ".gitignore", b"*\n")


def put(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, also when the machine stops. Raises OSError."""
    with placed(path) as file:
        write_all(file, content)


@contextlib.contextmanager
def placed(path: Path) -> Iterator[int]:
    """A new file, private, that takes the place of ``path`` when the block has written it. Raises OSError."""
    file, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        try:
            yield file
            give_to_owner_of(path.parent, file)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a power failure, where the system can."""
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def give_to_owner_of(folder: Path, made: Path | int) -> None:
    """What root makes in another user's folder is that user's: the gateway itself seldom runs as root."""
    if os.geteuid() != 0:
        return
    owner = os.stat(folder)
    if owner.st_uid != 0 or stat.S_IMODE(owner.st_mode) & stat.S_ISGID:
        os.chown(made, owner.st_uid, owner.st_gid)


def write_all(file: int, content: bytes) -> None:
    """All of ``content``: a full disk may take a part first and then refuse the rest. Raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
