"""What a peer is: a name, whether it can be had here, and how it is started."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Address
from benchmarks.server import BIN, Server, free_port, running

# More than any benchmark opens at once, so that no peer's default is what is measured.
CONNECTIONS = 16_384


@dataclass(frozen=True, slots=True)
class Peer:
    """``serve`` starts it in front of an app that listens at the given address, until the block ends."""

    name: str
    serve: Callable[[Address], AbstractContextManager[Server]]
    # An executable, and how it tells its version; or modules that must be there.
    program: str = ""
    version_flag: str = "--version"
    modules: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """What it lacks on this machine, or None."""
        if self.program and find(self.program) is None:
            return f"{self.program} is not installed"
        absent = [module for module in self.modules if importlib.util.find_spec(module) is None]
        return f"{', '.join(absent)} is not installed" if absent else None

    def title(self) -> str:
        """Its name and version."""
        program = find(self.program) if self.program else None
        if program is None:
            return self.name
        told = subprocess.run([program, self.version_flag], capture_output=True, text=True, check=False)
        number = re.search(r"\d+\.\d+(\.\d+)?", re.sub(r"[0-9a-f]{40}", "", told.stdout + told.stderr))
        return f"{self.name} {number[0]}" if number else self.name


def find(program: str) -> str | None:
    """Where an executable is: beside this Python, or in the system."""
    return shutil.which(program, path=f"{BIN}") or shutil.which(program) or shutil.which(program, path="/usr/sbin")


def present(peers: Sequence[Peer]) -> list[Peer]:
    """Those that can be had here. Prints why the others are left out."""
    found = []
    for peer in peers:
        missing = peer.missing()
        if missing is None:
            found.append(peer)
        else:
            print(f"\n{peer.name} is left out: {missing} (see `make bench-peers`)")
    return found


@contextlib.contextmanager
def with_file(
    name: str, file: str, text: Callable[[int, Path], str], command: Callable[[Path], Sequence[str]]
) -> Iterator[Server]:
    """Run a program that listens where a configuration file says.

    ``text`` is given a free port and a folder of its own and returns the file's content, ``command`` is given its path.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_text(text(port, Path(folder)))
        with running(name, command(path), port) as server:
            yield server
