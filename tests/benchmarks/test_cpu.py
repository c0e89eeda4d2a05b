"""The CPU of a process tree, against what the processes of a known tree say of themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.cpu import peak_bytes, resident_bytes, tree, tree_seconds

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

BURN = """
import os, sys, threading, time
def burn(clock, seconds):
    start = clock()
    while clock() - start < seconds: pass
"""
# Burns 0.05 s in the main thread, 0.05 s in a thread that ends, 0.1 s in a child that has ended and 0.05 s in a
# child that lives; then prints the sum of what all of them measured themselves, and waits.
FAMILY = f"""{BURN}
burn(time.thread_time, 0.05)
thread = threading.Thread(target=burn, args=(time.thread_time, 0.05)); thread.start(); thread.join()
def child(seconds, stay):
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        burn(time.process_time, seconds)
        os.write(into, str(time.process_time()).encode())
        if stay: sys.stdin.read()
        os._exit(0)
    if not stay: os.waitpid(pid, 0)
    return float(os.read(out, 100))
children = child(0.1, False) + child(0.05, True)
print(time.process_time() + children, flush=True)
sys.stdin.read()
"""


@contextmanager
def python(code: str) -> Iterator[tuple[int, str]]:
    """A Python process that runs ``code``: its id and the first line it prints. It ends when its stdin does."""
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.pid, process.stdout.readline()
        finally:
            process.stdin.close()


def test_counts_threads_and_children_living_and_ended() -> None:
    with python(FAMILY) as (pid, said):
        counted, own = tree_seconds(pid), float(said)
        assert len(tree(pid)) == 2
    # Ended children are counted in ticks of 10 ms, and everyone spends a little more after the last look at the clock.
    assert own >= 0.25
    assert own - 0.02 <= counted <= own + 0.05


def test_an_idle_tree_costs_nothing() -> None:
    with python("print('up', flush=True); import sys; sys.stdin.read()") as (pid, _):
        before = tree_seconds(pid)
        assert sum(range(2_000_000)) > 0  # our own work is not theirs
        assert tree_seconds(pid) - before < 0.01


def test_a_process_that_ended_has_no_tree() -> None:
    with python("print('up', flush=True)") as (pid, _):
        pass
    assert tree(pid) == []
    assert tree_seconds(pid) == 0.0


def test_resident_bytes_sees_what_a_child_allocates() -> None:
    code = "import os, sys; block = bytearray(os.urandom(1)) * (40 << 20); print('up', flush=True); sys.stdin.read()"
    with python(code) as (pid, _):
        assert 40 << 20 < resident_bytes(pid) < 80 << 20
        assert resident_bytes(os.getpid()) > resident_bytes(pid)  # ours includes the child's


def test_the_peak_stays_when_memory_is_given_back() -> None:
    code = "import sys; block = b'x' * (40 << 20); del block; print('up', flush=True); sys.stdin.read()"
    with python(code) as (pid, _):
        assert resident_bytes(pid) < 40 << 20 < peak_bytes(pid) < 80 << 20
