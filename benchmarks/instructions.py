"""User-mode instructions of a process tree, where `perf stat` can count them.

Instructions hardly depend on what else the machine does, so they show a change of one percent that CPU time hides.
Virtual machines often have no such counter; then there is none, and the tables say n/a.
"""

from __future__ import annotations

import functools
import shutil
import signal
import subprocess
import time

from benchmarks.cpu import tree


class Counter:
    """Counts while the block runs. ``instructions`` is None when the machine cannot count."""

    def __init__(self, root: int) -> None:
        self.instructions: int | None = None
        self._root = root
        self._perf: subprocess.Popen[str] | None = None

    def __enter__(self) -> Counter:
        if available():
            self._perf = _perf(["-p", ",".join(map(str, tree(self._root)))])
            time.sleep(0.1)  # perf says nowhere that it has attached
        return self

    def __exit__(self, *_: object) -> None:
        if self._perf is not None:
            self._perf.send_signal(signal.SIGINT)
            self.instructions = parse(self._perf.communicate()[1])


def parse(text: str) -> int | None:
    """The count in what `perf stat -x,` wrote, or None when it says that the event is not supported or not counted."""
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions") and fields[0].isdigit():
            return int(fields[0])
    return None


@functools.cache
def available() -> bool:
    """Whether instructions can be counted here: perf is installed, permitted, and has the hardware for it."""
    return shutil.which("perf") is not None and parse(_perf(["true"]).communicate()[1]) is not None


def _perf(arguments: list[str]) -> subprocess.Popen[str]:
    command = ["perf", "stat", "-x,", "-e", "instructions:u", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
