"""`gateway run` in the foreground of a terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.behaviour.probe import InBackground, project
from tests.behaviour.process import alive, command, environment, eventually

# Makes the terminal on stdin the controlling one of the new session, as a shell's is.
FOREGROUND = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A gateway that runs in a terminal, and the user's end of that terminal."""

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self.process = process
        self.keyboard = keyboard
        self.screen = ""
        self._open = True

    def close(self) -> None:
        """As closing the window does."""
        if self._open:
            self._open = False
            os.close(self.keyboard)

    def wait_for(self, text: str, timeout: float = 20) -> str:
        """The screen, once ``text`` is on it."""
        until = time.monotonic() + timeout
        while text not in self.screen:
            assert time.monotonic() < until, self.screen
            if select.select([self.keyboard], [], [], 0.1)[0]:
                self.screen += os.read(self.keyboard, 65536).decode()
        return self.screen


@contextmanager
def terminal(routes: Path) -> Iterator[Terminal]:
    keyboard, tty = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, *command(str(routes), "--port", "0", "--admin", "off")],
        stdin=tty,
        stdout=tty,
        stderr=tty,
        env=environment({"TERM": "dumb", "COLUMNS": "100"}),
        start_new_session=True,
    )
    os.close(tty)
    user = Terminal(process, keyboard)
    try:
        yield user
    finally:
        process.kill()
        process.wait()
        user.close()


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_ctrl_c_drains_because_it_does_not_reach_the_workers(routes: Path) -> None:
    with terminal(routes) as user:
        url = user.wait_for("everything else goes to legacy").split("serving  ")[1].split()[0]
        slow = InBackground(url + "/slow?0.8")
        time.sleep(0.3)
        os.write(user.keyboard, b"\x03")
        user.wait_for("Ctrl-C again ends at once")
        assert slow.response().json()["app"] == "legacy"
        user.wait_for("all workers have ended")
        assert user.process.wait(5) == 0
        assert "Traceback" not in user.screen


def test_closing_the_terminal_ends_it(routes: Path) -> None:
    """Its SIGHUP is no request to reload: the gateway would run on, seen by nobody, and hold the port."""
    with terminal(routes) as user:
        user.wait_for("everything else goes to legacy")
        (worker,) = [int(pid) for pid in children(user.process.pid)]
        user.close()
        assert user.process.wait(5) == 0
        eventually(lambda: not alive(worker))


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
